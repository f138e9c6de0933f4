import { spanBytes, type Doubles, type MixedBlocks, type Place } from '../../statistics/mixed-blocks.ts';
import { roundDown, roundUp } from './panels.ts';
import { inverseFactor } from './small-factor.ts';

/** Rows that are swept together: a block of them and its product with the others stay in near caches. */
const BLOCK = 64;

/** Bytes of scratch memory that {@link invert} takes besides the matrix. */
export function invertBytes({ double: { leftWidth, rightWidth } }: MixedBlocks, size: number): number {
  const wide = roundUp(size, rightWidth) + rightWidth;
  return spanBytes(
    { length: BLOCK * roundUp(size, rightWidth), bytes: 8 },
    { length: BLOCK * roundUp(size, leftWidth), bytes: 8 },
    { length: BLOCK * wide, bytes: 8 },
    { length: roundUp(BLOCK, leftWidth) * wide, bytes: 8 },
    { length: roundUp(BLOCK, leftWidth) * BLOCK, bytes: 8 },
    { length: BLOCK * roundUp(BLOCK, leftWidth), bytes: 8 },
  );
}

/** Row stride of a matrix for {@link invert}. */
export function invertStride({ double: { rightWidth } }: MixedBlocks, size: number): number {
  return roundUp(size, rightWidth);
}

/** Rows that are allocated for a matrix for {@link invert}. */
export function invertRows({ double: { leftWidth } }: MixedBlocks, size: number): number {
  return roundUp(size, leftWidth);
}

/**
 * Inverts a symmetric positive definite matrix in place, in float64: the upper triangle is read and written, the
 * entries below it are unspecified. Sweeps (Goodnight, "A tutorial on the SWEEP operator", 1979) a block of rows at a
 * time: with P the diagonal block and R its rows, `R_i' P^-1 R_j` is subtracted from every other element, the rows
 * become `P^-1 R` and P itself `-P^-1`; after all blocks the matrix is minus its inverse. Takes no more operations than
 * a Cholesky factor and its inverse, n^3, all of them products of tall panels. Stable if a ridge bounds the smallest
 * eigenvalue.
 *
 * @param matrix `[invertRows, invertStride]`
 * @returns yields between blocks
 * @throws RangeError if the matrix is not positive definite
 */
export function* invert(
  memory: MixedBlocks,
  { values, address }: Doubles,
  size: number,
): Generator<undefined, void, undefined> {
  const { leftWidth, rightWidth, bytes } = memory.double;
  const stride = invertStride(memory, size);
  const wide = stride + rightWidth;
  const rows = memory.doubles(BLOCK * stride);
  const left = memory.doubles(BLOCK * roundUp(size, leftWidth));
  const right = memory.doubles(BLOCK * wide);
  const swept = memory.doubles(roundUp(BLOCK, leftWidth) * wide);
  const minusPivot = memory.doubles(roundUp(BLOCK, leftWidth) * BLOCK);
  const pivotLeft = memory.doubles(BLOCK * roundUp(BLOCK, leftWidth));
  const { double } = memory;
  const rowsPlace: Place = { address: rows.address, stride };
  for (let first = 0; first < size; first += BLOCK) {
    const count = Math.min(BLOCK, size - first);
    readRows({ values, stride, size }, first, count, rows.values);
    const pivot = invertSmall(rows.values, stride, first, count);
    // -P^-1 R
    pivot.forEach((value, at) => (minusPivot.values[at] = -value));
    double.packRows('left', { address: minusPivot.address, stride: count }, count, count, pivotLeft.address);
    double.packColumns('right', rowsPlace, count, size, right.address);
    for (let i = 0; i < count; i += leftWidth) {
      double.add(pivotLeft.address + bytes * i * count, right.address, count, stride / rightWidth, {
        address: swept.address + bytes * i * wide,
        rowBytes: bytes * wide,
        overwrite: true,
      });
    }
    // All other elements; those of the block are computed needlessly.
    double.packColumns('left', rowsPlace, count, size, left.address);
    double.packColumns('right', { address: swept.address, stride: wide }, count, size, right.address);
    for (let i = 0; i < size; i += leftWidth) {
      const from = roundDown(i, rightWidth);
      double.add(
        left.address + bytes * i * count,
        right.address + bytes * from * count,
        count,
        (stride - from) / rightWidth,
        { address: address + bytes * (i * stride + from), rowBytes: bytes * stride, overwrite: false },
      );
    }
    writeRows({ values, stride, size }, first, pivot, { values: swept.values, stride: wide });
    yield;
  }
  for (let i = 0; i < size; i++) {
    for (let at = i * stride + i; at < i * stride + size; at++) values[at] = -values[at]!;
  }
}

/** A row-major matrix. */
interface Square {
  readonly values: Float64Array;
  readonly stride: number;
  readonly size: number;
}

/** Copies whole rows `first .. first + count` of the symmetric matrix, given its upper triangle. */
function readRows({ values, stride, size }: Square, first: number, count: number, out: Float64Array): void {
  for (let j = 0; j < first; j++) {
    for (let r = 0; r < count; r++) out[r * stride + j] = values[j * stride + first + r]!;
  }
  for (let r = 0; r < count; r++) {
    for (let s = 0; s < r; s++) out[r * stride + first + s] = values[(first + s) * stride + first + r]!;
    for (let j = first + r; j < size; j++) out[r * stride + j] = values[(first + r) * stride + j]!;
  }
}

/** @param pivot `[count, count]` @param swept `[count, size]` */
function writeRows(
  { values, stride, size }: Square,
  first: number,
  pivot: Float64Array,
  { values: swept, stride: wide }: Omit<Square, 'size'>,
): void {
  const count = Math.sqrt(pivot.length);
  for (let j = 0; j < first; j++) {
    for (let r = 0; r < count; r++) values[j * stride + first + r] = -swept[r * wide + j]!;
  }
  for (let r = 0; r < count; r++) {
    const row = (first + r) * stride;
    for (let s = r; s < count; s++) values[row + first + s] = -pivot[r * count + s]!;
    for (let j = first + count; j < size; j++) values[row + j] = -swept[r * wide + j]!;
  }
}

/** The inverse `[count, count]` of the block that begins at column `first`, by its Cholesky factor. */
function invertSmall(rows: Float64Array, stride: number, first: number, count: number): Float64Array {
  const lower = inverseFactor((i, j) => rows[i * stride + first + j]!, count);
  const inverse = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < count; k++) sum += lower[k * count + i]! * lower[k * count + j]!;
      inverse[i * count + j] = sum;
      inverse[j * count + i] = sum;
    }
  }
  return inverse;
}
