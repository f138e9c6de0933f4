import type { JackknifeScores } from './jackknife.ts';

/** How often, and how, scores are recomputed. */
export interface ResamplePlan {
  /** G: contiguous groups that samples are left out by, and shuffled within; at least 2 */
  readonly groups: number;
  /** R: shuffles of the targets; 0 for none */
  readonly permutations: number;
  /** Seed of the shuffles, an unsigned 32-bit integer */
  readonly seed: number;
}

/** Results of resampling the aggregated scores: row-major `[source i, target j]`. */
export interface ResampledScores extends JackknifeScores {
  readonly plan: ResamplePlan;
  /** Empirical one-sided p (see `PermutationTally`); undefined without permutations */
  readonly empiricalP: Float64Array | undefined;
}
