import { spanBytes, type MixedBlocks, type Place, type Singles } from '../../statistics/mixed-blocks.ts';
import { placeIn, roundDown, roundUp } from './panels.ts';

/** Most elements that are multiplied and summed in float32 before they join the float64 sums. */
export const GRAM_DEPTH = 512;
/** Columns of right panels that are used together: they stay in a near cache. */
const GRAM_WIDTH = 256;

/** Scratch memory of a Gram matrix. */
export interface GramScratch {
  /** Panels of both sides, with up to {@link GRAM_DEPTH} rows */
  readonly left: Singles;
  readonly right: Singles;
  readonly block: Singles;
}

/** Columns `first .. end` of a symmetric matrix, on and above the diagonal; rows are `stride` apart. */
export interface UpperColumns {
  readonly values: Float64Array;
  readonly stride: number;
  readonly first: number;
  readonly end: number;
}

/** Bytes of {@link gramScratch}. */
export function gramBytes({ single: { leftWidth, rightWidth } }: MixedBlocks, size: number): number {
  return spanBytes(
    { length: GRAM_DEPTH * roundUp(size, leftWidth), bytes: 4 },
    { length: GRAM_DEPTH * roundUp(size, rightWidth), bytes: 4 },
    { length: roundUp(size, leftWidth) * (GRAM_WIDTH + rightWidth), bytes: 4 },
  );
}

/** @param size rows and columns of the Gram matrix */
export function gramScratch(memory: MixedBlocks, size: number): GramScratch {
  const { leftWidth, rightWidth } = memory.single;
  return {
    left: memory.singles(GRAM_DEPTH * roundUp(size, leftWidth)),
    right: memory.singles(GRAM_DEPTH * roundUp(size, rightWidth)),
    block: memory.singles(roundUp(size, leftWidth) * (GRAM_WIDTH + rightWidth)),
  };
}

/**
 * Adds the products of the rows of a float32 matrix with each other, A A', to a float64 matrix. Yields some
 * milliseconds of work apart.
 *
 * @param matrix `[sums.end, columns]`, in the memory; may be read beyond its end, up to whole panels
 */
export function* addGramOfRows(
  memory: MixedBlocks,
  scratch: GramScratch,
  matrix: Place,
  columns: number,
  sums: UpperColumns,
): Generator<undefined, void, undefined> {
  for (let column = 0; column < columns; column += GRAM_DEPTH) {
    const depth = Math.min(GRAM_DEPTH, columns - column);
    const own = placeIn(matrix, sums.first, column);
    memory.single.packRows('left', placeIn(matrix, 0, column), sums.end, depth, scratch.left.address);
    memory.single.packRows('right', own, sums.end - sums.first, depth, scratch.right.address);
    yield* addGramOfPanels(memory, scratch, scratch.left.address, depth, sums);
  }
}

/**
 * Adds A'A of a piece of a matrix, given in panels: left ones, of all columns up to the last of the sums, anywhere;
 * right ones, of the columns of the sums, in the scratch memory. Products are in float32 over the rows of the piece,
 * and added up in float64.
 *
 * @param depth rows of the piece, at most {@link GRAM_DEPTH}
 */
export function* addGramOfPanels(
  memory: MixedBlocks,
  { right, block }: GramScratch,
  left: number,
  depth: number,
  sums: UpperColumns,
): Generator<undefined, void, undefined> {
  const { single } = memory;
  const { leftWidth, rightWidth, bytes } = single;
  const stride = GRAM_WIDTH + rightWidth;
  for (let column = sums.first; column < sums.end; column += GRAM_WIDTH) {
    const wide = Math.min(GRAM_WIDTH, sums.end - column);
    // On and above the diagonal.
    for (let i = 0; i < column + wide; i += leftWidth) {
      const skipped = roundDown(Math.max(i - column, 0), rightWidth);
      single.add(
        left + bytes * i * depth,
        right.address + bytes * (column - sums.first + skipped) * depth,
        depth,
        Math.ceil((wide - skipped) / rightWidth),
        {
          address: block.address + bytes * (i * stride + skipped),
          rowBytes: bytes * stride,
          overwrite: true,
        },
      );
    }
    addUpper(block.values, stride, column, wide, sums);
    yield;
  }
}

function addUpper(
  block: Float32Array,
  stride: number,
  first: number,
  columns: number,
  sums: UpperColumns,
): void {
  const { values } = sums;
  for (let i = 0; i < first + columns; i++) {
    const from = i * stride - first;
    const to = i * sums.stride - sums.first;
    for (let j = Math.max(i, first); j < first + columns; j++) values[to + j]! += block[from + j]!;
  }
}
