import { MagnitudeEdgeError } from '../errors.ts';
import { leaveOneOut, mergeAll } from './leave-one-out.ts';
import { createYielder } from '../statistics/yielder.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import type { ScoreRequest } from '../scoring/score-matrices.ts';
import { scoreStatistics } from '../scoring/score-statistics.ts';

/** How much the scores depend on the choice of samples: row-major `[source i, target j]`. */
export interface JackknifeScores {
  /** Standard error of each aggregated score; NaN if any of the scores behind it is */
  readonly standardError: Float64Array;
  /** Share of the leave-one-group-out scores that have the sign of the score over all samples; NaN likewise */
  readonly signStability: Float64Array;
}

/**
 * Delete-a-group jackknife over the aggregated scores, from statistics alone: the scores are recomputed without each
 * group. Samples that belong together (replicates, one donor's cells) go in one group.
 *
 * @param groups statistics over disjoint groups of samples, at least two; empty groups are ignored
 * @throws `invalid-argument` for fewer than two groups with samples, `graph-mismatch` if their shapes differ,
 *   `too-few-samples` if fewer than three remain without a group; the signal's reason once it is aborted
 */
export async function jackknifeScores(
  groups: readonly SufficientStatistics[],
  request: ScoreRequest,
): Promise<JackknifeScores> {
  const filled = groups.filter(({ samples }) => samples > 0);
  if (filled.length < 2) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `A jackknife needs at least 2 groups of samples, but was given ${filled.length}.`,
      { details: { option: 'groups', found: filled.length } },
    );
  }
  const yielder = createYielder(request.signal);
  const all = await mergeAll(filled, yielder);
  const { aggregated } = await scoreStatistics(all, request);
  const tally = new JackknifeTally(aggregated, all.samples);
  for await (const { statistics } of leaveOneOut(filled, yielder)) {
    tally.add((await scoreStatistics(statistics, request)).aggregated, statistics.samples);
  }
  return tally.result();
}

/**
 * Collects leave-one-group-out scores. With g groups of m_k of the n samples, the score r over all, the scores r_k
 * without group k, h_k = n / m_k and the jackknife estimate r_J = g r - sum_k (1 - 1/h_k) r_k, the squared standard
 * error is `1/g sum_k (h_k r - (h_k - 1) r_k - r_J)^2 / (h_k - 1)` (Busing, Meijer and van der Leeden, "Delete-m
 * jackknife for unequal m", 1999). For groups of equal size that is `(g - 1)/g sum_k (r_k - mean r_k)^2` (Efron and
 * Tibshirani, "An introduction to the bootstrap", 1993, chapter 11).
 */
export class JackknifeTally {
  readonly #whole: Float64Array | Float32Array;
  readonly #samples: number;
  // With d_k = r_k - r and b = sum (1 - 1/h_k) d_k the sum over k is
  // sum (h_k - 1) d_k^2 - 2 b sum d_k + b^2 sum 1/(h_k - 1).
  readonly #differences: Float64Array;
  readonly #weighted: Float64Array;
  readonly #squares: Float64Array;
  #reciprocals = 0;
  readonly #sameSign: Uint32Array;
  #groups = 0;

  /**
   * @param whole the scores over all samples; not copied
   * @param samples n
   */
  constructor(whole: Float64Array | Float32Array, samples: number) {
    this.#whole = whole;
    this.#samples = samples;
    this.#differences = new Float64Array(whole.length);
    this.#weighted = new Float64Array(whole.length);
    this.#squares = new Float64Array(whole.length);
    this.#sameSign = new Uint32Array(whole.length);
  }

  /**
   * @param scores the scores without one group
   * @param remaining samples behind them, fewer than all
   */
  add(scores: Float64Array | Float32Array, remaining: number): void {
    const whole = this.#whole;
    const share = remaining / this.#samples;
    // h - 1 = n / m - 1 = (n - m) / m
    const ratio = remaining / (this.#samples - remaining);
    const count = scores.length;
    for (let e = 0; e < count; e++) {
      const difference = scores[e]! - whole[e]!;
      this.#differences[e]! += difference;
      this.#weighted[e]! += share * difference;
      this.#squares[e]! += ratio * difference * difference;
      if (Math.sign(scores[e]!) === Math.sign(whole[e]!)) this.#sameSign[e]!++;
    }
    this.#reciprocals += 1 / ratio;
    this.#groups++;
  }

  /** The result of all groups added so far, which should be all there are. A score that was NaN once yields NaN. */
  result(): JackknifeScores {
    const groups = this.#groups;
    const standardError = this.#squares.map((squares, e) => {
      const b = this.#weighted[e]!;
      const sum = squares - 2 * b * this.#differences[e]! + b * b * this.#reciprocals;
      return Math.sqrt(Math.max(sum, 0) / groups);
    });
    const signStability = standardError.map((error, e) =>
      Number.isNaN(error) ? NaN : this.#sameSign[e]! / groups,
    );
    return { standardError, signStability };
  }
}
