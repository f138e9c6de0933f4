import type { MixedBlocks } from '../../statistics/mixed-blocks.ts';
import { BLOCK, cholesky, choleskyBytes, newSymmetric, type Symmetric } from './cholesky.ts';
import type { UpperColumns } from './gram.ts';

/** Elements of a block */
export const BLOCK_LENGTH = BLOCK * BLOCK;

/** A ridge regression's system: S/n + lambda I. */
export interface Ridge {
  /** Rows of S */
  readonly size: number;
  /** n */
  readonly observations: number;
  readonly lambda: number;
}

/**
 * The Cholesky factor U of a ridge regression's system, U'U = S/n + lambda I, in float32: row-major blocks
 * `[BLOCK, BLOCK]` on and above the diagonal, block row by block row, padded with zeros. Diagonal blocks are inverted
 * and the others negated, ready to be multiplied by in a solve.
 */
export type RidgeFactor = Float32Array;

/** Number of block rows. */
export function blockRows(size: number): number {
  return Math.ceil(size / BLOCK);
}

/** Index of block (i, j), i <= j, in a factor of `rows` block rows. */
export function blockAt(rows: number, i: number, j: number): number {
  return i * rows - (i * (i - 1)) / 2 + j - i;
}

/** Elements of a {@link RidgeFactor}. */
export function factorLength(size: number): number {
  const rows = blockRows(size);
  return (BLOCK_LENGTH * rows * (rows + 1)) / 2;
}

/**
 * Factors a system in float64.
 *
 * @param pieces columns of S, which together are all of them
 * @param out of {@link factorLength}
 * @returns yields some milliseconds of work apart
 * @throws RangeError, `out-of-memory`
 */
export function* factorRidge(
  memory: MixedBlocks,
  pieces: readonly UpperColumns[],
  { size, observations, lambda }: Ridge,
  out: RidgeFactor,
): Generator<undefined, void, undefined> {
  memory.clear(choleskyBytes(memory, size));
  const matrix = newSymmetric(memory, size);
  for (const piece of pieces) {
    for (let i = 0; i < piece.end; i++) {
      const [from, to] = [i * piece.stride - piece.first, i * matrix.stride];
      for (let j = Math.max(i, piece.first); j < piece.end; j++)
        matrix.values[to + j] = piece.values[from + j]! / observations;
      if (i >= piece.first) matrix.values[to + i]! += lambda;
    }
    yield;
  }
  yield* cholesky(memory, matrix, size);
  readBlocks(matrix, size, out);
}

function readBlocks({ values, stride }: Symmetric, size: number, out: RidgeFactor): void {
  out.fill(0);
  const rows = blockRows(size);
  for (let row = 0; row < size; row++) {
    const i = Math.floor(row / BLOCK);
    for (let j = i; j < rows; j++) {
      const sign = i === j ? 1 : -1;
      const to = BLOCK_LENGTH * blockAt(rows, i, j) + BLOCK * (row % BLOCK) - BLOCK * j;
      const end = Math.min(BLOCK * (j + 1), size);
      for (let c = i === j ? row : BLOCK * j; c < end; c++) out[to + c] = sign * values[row * stride + c]!;
    }
  }
}
