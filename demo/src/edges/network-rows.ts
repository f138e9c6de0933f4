import type { EdgeColumns } from './edge-columns.ts';
import { sortPermutation } from './sort.ts';

/** Largest q that counts as significant by default. */
export const likelyQ = 0.05;
/** Number of pairs taken if scores have no q. */
export const bestShown = 50;

/**
 * The rows of a network for other programs: the graph's edges with the significant pairs, or with the best pairs if q
 * is unknown.
 */
export function networkRows({ rows, hasEdge, qValue, isTested, score }: EdgeColumns): Uint32Array {
  const taken = new Uint8Array(rows);
  if (isTested) for (let row = 0; row < rows; row++) taken[row] = qValue[row]! <= likelyQ ? 1 : 0;
  else
    sortPermutation(score, true)
      .filter((row) => !hasEdge[row] && !Number.isNaN(score[row]!))
      .subarray(0, bestShown)
      .forEach((row) => {
        taken[row] = 1;
      });
  return Uint32Array.from({ length: rows }, (_, row) => row).filter(
    (row) => taken[row] === 1 || hasEdge[row] === 1,
  );
}
