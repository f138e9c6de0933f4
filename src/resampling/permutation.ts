/**
 * Scores that differ by less than this fraction of their unit count as equal. Backends are held to 1e-6 (method.md,
 * "Numbers to hold"), and a shuffle that changes nothing, or only swaps equal values, must not appear smaller because
 * of rounding.
 */
const TIE = 1e-6;

/** The unit of correlations, whose rounding errors are relative to 1 however small the correlations are. */
export const CORRELATION_UNIT = 1;

/** The unit of scores without one of their own, such as regression coefficients: the largest of them. */
export function largestScore(scores: Float64Array | Float32Array): number {
  let largest = 0;
  for (const score of scores) {
    const size = Math.abs(score);
    if (size > largest && size < Infinity) largest = size;
  }
  return largest;
}

/**
 * One-sided empirical p-values of scores, from the scores of shuffled targets. With b of R shuffles reaching the
 * observed score, `p = (b + 1) / (R + 1)`: the observed arrangement is one of those that the null hypothesis allows, so
 * p is never zero and tests hold their level (Phipson and Smyth, "Permutation p-values should never be zero", 2010).
 */
export class PermutationTally {
  readonly #observed: Float64Array | Float32Array;
  readonly #reached: Uint32Array;
  readonly #tie: number;
  #shuffles = 0;

  /**
   * @param observed the scores themselves; not copied
   * @param unit the size that differences of scores are relative to: {@link CORRELATION_UNIT}, or {@link largestScore}
   */
  constructor(observed: Float64Array | Float32Array, unit: number) {
    this.#observed = observed;
    this.#tie = TIE * unit;
    this.#reached = new Uint32Array(observed.length);
  }

  /** Counts the scores of one shuffle. One that is NaN counts as reaching the observed score. */
  add(shuffled: Float64Array | Float32Array): void {
    this.#shuffles++;
    const [count, tie] = [shuffled.length, this.#tie];
    for (let e = 0; e < count; e++) {
      if (!(shuffled[e]! < this.#observed[e]! - tie)) this.#reached[e]!++;
    }
  }

  /** p of each score; 1 if the score is NaN. */
  pValues(): Float64Array {
    return Float64Array.from(this.#reached, (reached, e) =>
      Number.isNaN(this.#observed[e]) ? 1 : (reached + 1) / (this.#shuffles + 1),
    );
  }
}
