import type { EdgeColumns } from './edge-columns.ts';
import { sortPermutation } from './sort.ts';

/** What counts as significant where nobody has said anything else. */
export const likelyQ = 0.05;
/** Pairs taken where scores have no q. */
export const bestShown = 50;

/** The rows of a network that fits other programs: the graph's edges with the significant pairs, or the best where no q is known. */
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
