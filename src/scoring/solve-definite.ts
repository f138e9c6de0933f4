import { choleskyFactor } from './cholesky.ts';

/**
 * Solves `K W = R` for a symmetric positive definite K.
 *
 * @param matrix K, row-major `[size, size]`; overwritten
 * @param right rows of R
 * @param roundoff of the numbers in K, relative to them
 * @returns rows of W; undefined if K is numerically singular
 */
export function solveDefinite(
  matrix: Float64Array,
  right: readonly ArrayLike<number>[],
  roundoff: number,
): number[][] | undefined {
  const size = right.length;
  if (!choleskyFactor(matrix, size, roundoff)) return undefined;
  const solved = right.map((row) => Array.from(row));
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < a; b++) subtract(solved[a]!, matrix[a * size + b]!, solved[b]!);
    divide(solved[a]!, matrix[a * size + a]!);
  }
  for (let a = size - 1; a >= 0; a--) {
    for (let b = a + 1; b < size; b++) subtract(solved[a]!, matrix[b * size + a]!, solved[b]!);
    divide(solved[a]!, matrix[a * size + a]!);
  }
  return solved;
}

function subtract(row: number[], factor: number, other: readonly number[]): void {
  for (let k = 0; k < row.length; k++) row[k]! -= factor * other[k]!;
}

function divide(row: number[], by: number): void {
  for (let k = 0; k < row.length; k++) row[k]! /= by;
}
