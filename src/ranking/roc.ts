import { MagnitudeEdgeError } from '../errors.ts';
import { sortedOrder } from './order.ts';

/**
 * Area under the receiver operating characteristic: the probability that a positive scores above a negative, ties
 * counted half (the Mann-Whitney statistic). Rows with a NaN score are ignored.
 *
 * @param scores `[rows]`
 * @param positive `[rows]`, truthy if the row is a positive
 * @throws `no-positives` if no scored row is a positive, `invalid-argument` if none is a negative
 */
export function rocAuc(scores: Float64Array | Float32Array, positive: ArrayLike<boolean | number>): number {
  const order = sortedOrder(scores, 'ascending');
  let positives = 0;
  let negatives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length;) {
    const score = scores[order[start]!]!;
    if (score !== score) break;
    let end = start;
    let inTie = 0;
    for (; end < order.length && scores[order[end]!] === score; end++) {
      if (positive[order[end]!]) inTie++;
    }
    // Ranks start at 1; the rows of a tie share the mean of their ranks.
    rankSum += (inTie * (start + 1 + end)) / 2;
    positives += inTie;
    negatives += end - start - inTie;
    start = end;
  }
  if (positives === 0) {
    throw new MagnitudeEdgeError('no-positives', 'The ROC AUC needs at least one positive row with a score.');
  }
  if (negatives === 0) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      'The ROC AUC needs at least one negative row with a score.',
    );
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
