import { MagnitudeEdgeError } from '../errors.ts';
import { mergeStatistics } from '../statistics/merge.ts';
import { subtractStatistics } from '../statistics/subtract.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import type { ScoreRequest } from './score-matrices.ts';
import { scoreStatistics } from './score-statistics.ts';

/** How much the scores depend on which samples there were: row-major `[source i, target j]`. */
export interface JackknifeScores {
  /** Standard error of each aggregated score; NaN where any of the scores behind it is */
  readonly standardError: Float64Array;
  /** Share of the leave-one-group-out scores that have the sign of the score over all samples; NaN likewise */
  readonly signStability: Float64Array;
}

/**
 * Delete-a-group jackknife over the aggregated scores, from statistics alone: the scores are computed again without
 * each group, and with G groups the standard error is `sqrt((G - 1) / G sum_g (r_g - mean_g r_g)^2)` (Kott, "The
 * delete-a-group jackknife", 2001). Groups should be about equally large, and samples that belong together
 * (replicates, one donor's cells) in one group.
 *
 * @param groups statistics over disjoint groups of samples, at least two
 * @throws `invalid-argument` for fewer than two groups, `graph-mismatch` where their shapes differ,
 *   `too-few-samples` where fewer than three remain without a group; the signal's reason once it is aborted
 */
export async function jackknifeScores(
  groups: readonly SufficientStatistics[],
  request: ScoreRequest,
): Promise<JackknifeScores> {
  const [first, ...others] = groups;
  if (first === undefined || others.length === 0) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `A jackknife needs at least 2 groups of samples and was given ${groups.length}.`,
      { details: { option: 'groups', found: groups.length } },
    );
  }
  const all = others.reduce((merged, group) => mergeStatistics(merged, group), first);
  const whole = await scoreStatistics(all, request);
  const size = whole.aggregated.length;
  const mean = new Float64Array(size);
  const squares = new Float64Array(size);
  const sameSign = new Float64Array(size);
  let count = 0;
  for (const group of groups) {
    const { aggregated } = await scoreStatistics(subtractStatistics(all, group), request);
    count++;
    addReplicate(aggregated, whole.aggregated, count, mean, squares, sameSign);
  }
  return {
    standardError: squares.map((sum) => Math.sqrt(((count - 1) / count) * sum)),
    signStability: sameSign.map((same, e) => (Number.isNaN(mean[e]) ? NaN : same / count)),
  };
}

/** Welford's update of the means and of the sums of squares about them; NaN once, NaN for good. */
function addReplicate(
  scores: Float64Array | Float32Array,
  whole: Float64Array | Float32Array,
  count: number,
  mean: Float64Array,
  squares: Float64Array,
  sameSign: Float64Array,
): void {
  for (let e = 0; e < scores.length; e++) {
    const score = scores[e]!;
    const before = score - mean[e]!;
    mean[e]! += before / count;
    squares[e]! += before * (score - mean[e]!);
    if (Math.sign(score) === Math.sign(whole[e]!)) sameSign[e]!++;
  }
}
