import { spanBytes, type Doubles, type MixedBlocks } from '../../statistics/mixed-blocks.ts';
import { DEPTH, WIDTH } from './block-norms.ts';
import { invertStride } from './invert.ts';
import { packColumns, packRows, roundDown, roundUp, type Matrix } from './panels.ts';

/** Bytes of scratch memory that {@link addGram} takes. */
export function gramBytes({ single: { leftWidth, rightWidth } }: MixedBlocks, size: number): number {
  return spanBytes(
    { length: DEPTH * roundUp(size, leftWidth), bytes: 4 },
    { length: DEPTH * roundUp(size, rightWidth), bytes: 4 },
    { length: roundUp(size, leftWidth) * (WIDTH + rightWidth), bytes: 4 },
  );
}

/**
 * Adds products of the columns of a matrix with each other (`over: 'rows'`, its A'A), or of its rows (`over: 'columns'`, its
 * A A'), to the upper triangle of a float64 matrix laid out for `invert`. Products are in float32 over {@link DEPTH} elements
 * at a time, and added up in float64. Yields some milliseconds of work apart.
 */
export function* addGram(
  memory: MixedBlocks,
  matrix: Matrix,
  rows: number,
  over: 'rows' | 'columns',
  { values: sums }: Doubles,
): Generator<undefined, void, undefined> {
  const { leftWidth, rightWidth, bytes } = memory.single;
  const [size, length] = over === 'rows' ? [matrix.stride, rows] : [rows, matrix.stride];
  const left = memory.singles(DEPTH * roundUp(size, leftWidth));
  const right = memory.singles(DEPTH * roundUp(size, rightWidth));
  const stride = WIDTH + rightWidth;
  const block = memory.singles(roundUp(size, leftWidth) * stride);
  const sumsStride = invertStride(memory, size);
  for (let first = 0; first < length; first += DEPTH) {
    const end = Math.min(first + DEPTH, length);
    const depth = end - first;
    for (const [width, to] of [
      [leftWidth, left.values],
      [rightWidth, right.values],
    ] as const) {
      if (over === 'rows') packColumns(matrix, [first, end], [0, size], width, to);
      else packRows(matrix, [0, size], [first, end], width, to);
    }
    for (let column = 0; column < size; column += WIDTH) {
      const columns = Math.min(WIDTH, size - column);
      // On and above the diagonal.
      for (let i = 0; i < column + columns; i += leftWidth) {
        const skipped = roundDown(Math.max(i - column, 0), rightWidth);
        memory.single.add(
          left.address + bytes * i * depth,
          right.address + bytes * (column + skipped) * depth,
          depth,
          Math.ceil((columns - skipped) / rightWidth),
          block.address + bytes * (i * stride + skipped),
          bytes * stride,
          true,
        );
      }
      addUpper(block.values, stride, column, columns, sums, sumsStride);
      yield;
    }
  }
}

function addUpper(
  block: Float32Array,
  stride: number,
  first: number,
  columns: number,
  sums: Float64Array,
  sumsStride: number,
): void {
  for (let i = 0; i < first + columns; i++) {
    const from = i * stride - first;
    const to = i * sumsStride;
    for (let j = Math.max(i, first); j < first + columns; j++) sums[to + j]! += block[from + j]!;
  }
}
