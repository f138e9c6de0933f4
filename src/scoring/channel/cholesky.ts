import { spanBytes, type Doubles, type MixedBlocks, type Place } from '../../statistics/mixed-blocks.ts';
import { roundUp } from './panels.ts';
import type { Range } from './products.ts';
import { inverseFactor } from './small-factor.ts';

/** Rows of a block: whole panels of either side, in either precision. */
export const BLOCK = 72;
/** Rows updated together by the rows above them: right panels are packed once for all of them. */
const TALL = 3 * BLOCK;
/** Rows and columns of right panels that are packed together: they stay in a near cache. */
const DEPTH = 240;
const WIDTH = 240;

/** A square matrix for {@link cholesky}, `[rows, stride]`. */
export interface Symmetric extends Doubles {
  readonly stride: number;
}

/** Bytes of {@link newSymmetric}, and of the scratch memory of {@link cholesky}. */
export function choleskyBytes({ double: { leftWidth, rightWidth } }: MixedBlocks, size: number): number {
  return spanBytes(
    { length: roundUp(size, leftWidth) * roundUp(size, rightWidth), bytes: 8 },
    { length: TALL * size, bytes: 8 },
    { length: DEPTH * WIDTH, bytes: 8 },
    { length: 2 * BLOCK * BLOCK, bytes: 8 },
  );
}

/** A matrix of zeros. */
export function newSymmetric(memory: MixedBlocks, size: number): Symmetric {
  const { leftWidth, rightWidth } = memory.double;
  const stride = roundUp(size, rightWidth);
  const matrix = memory.doubles(roundUp(size, leftWidth) * stride);
  matrix.values.fill(0);
  return { ...matrix, stride };
}

/**
 * The Cholesky factor, A = U'U, of a symmetric positive definite matrix, in float64 and in place: the upper triangle is
 * read and written, {@link BLOCK} rows at a time, after subtracting the contribution of the rows above. Diagonal blocks
 * are stored inverted.
 *
 * @returns yields between blocks
 * @throws RangeError if the matrix is not positive definite
 */
export function* cholesky(
  memory: MixedBlocks,
  { values, address, stride }: Symmetric,
  size: number,
): Generator<undefined, void, undefined> {
  const { double } = memory;
  const { leftWidth, rightWidth, bytes } = double;
  const at = (row: number, column: number): Place => ({
    address: address + bytes * (row * stride + column),
    stride,
  });
  const above = memory.doubles(TALL * size);
  const right = memory.doubles(DEPTH * WIDTH);
  const inverse = memory.doubles(BLOCK * BLOCK);
  const inverseLeft = memory.doubles(BLOCK * BLOCK);

  /**
   * Multiplies left panels with some rows of the matrix, from a column on, and adds the product to other rows or
   * overwrites them.
   */
  function* multiply(
    left: Doubles,
    [from, end]: Range,
    [first, endRow]: Range,
    firstColumn: number,
    overwrite: boolean,
  ): Generator<undefined, void, undefined> {
    for (let column = firstColumn; column < size; column += WIDTH) {
      const wide = Math.min(WIDTH, size - column);
      for (let row = from; row < end; row += DEPTH) {
        const depth = Math.min(DEPTH, end - row);
        double.packColumns('right', at(row, column), depth, wide, right.address);
        for (let i = 0; i < endRow - first; i += leftWidth) {
          double.add(
            left.address + bytes * (i * (end - from) + (row - from) * leftWidth),
            right.address,
            depth,
            Math.ceil(wide / rightWidth),
            { address: at(first + i, column).address, rowBytes: bytes * stride, overwrite },
          );
        }
      }
      yield;
    }
  }

  function* takeOff(explained: Range, rows: Range): Generator<undefined, void, undefined> {
    const [from, end] = explained;
    if (from === end) return;
    const length = roundUp(rows[1] - rows[0], leftWidth) * (end - from);
    double.packColumns('left', at(from, rows[0]), end - from, rows[1] - rows[0], above.address);
    for (let k = 0; k < length; k++) above.values[k] = -above.values[k]!;
    yield* multiply(above, explained, rows, rows[0], false);
  }

  for (let top = 0; top < size; top += TALL) {
    const bottom = Math.min(top + TALL, size);
    yield* takeOff([0, top], [top, bottom]);
    for (let first = top; first < bottom; first += BLOCK) {
      const end = Math.min(first + BLOCK, bottom);
      const count = end - first;
      yield* takeOff([top, first], [first, end]);
      const lower = inverseFactor((i, j) => values[(first + j) * stride + first + i]!, count);
      inverse.values.set(lower);
      double.packRows('left', { address: inverse.address, stride: count }, count, count, inverseLeft.address);
      yield* multiply(inverseLeft, [first, end], [first, end], end, true);
      for (let i = 0; i < count; i++) {
        for (let j = 0; j <= i; j++) values[(first + j) * stride + first + i] = lower[i * count + j]!;
      }
    }
  }
}
