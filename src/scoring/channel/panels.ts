import { spanBytes, type MixedBlocks, type Place } from '../../statistics/mixed-blocks.ts';

/** A row-major matrix of float32 in the memory of {@link MixedBlocks}, of which any columns or rows can be packed. */
export interface Matrix extends Place {
  readonly values: Float32Array;
}

/** Rows after the last one, which are packed with it; their values are unspecified. */
const SPARE_ROWS = 16;

/** Bytes of {@link newMatrix}. */
export function matrixBytes(rows: number, columns: number): number {
  return spanBytes({ length: (rows + SPARE_ROWS) * columns, bytes: 4 });
}

/** Allocates an uninitialised matrix. */
export function newMatrix(memory: MixedBlocks, rows: number, columns: number): Matrix {
  return { ...memory.singles((rows + SPARE_ROWS) * columns), stride: columns };
}

/** The place of one element of a matrix of float32. */
export function placeIn({ address, stride }: Place, row: number, column: number): Place {
  return { address: address + 4 * (row * stride + column), stride };
}

/** The next multiple of `step`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** The previous multiple of `step`. */
export function roundDown(value: number, step: number): number {
  return Math.floor(value / step) * step;
}
