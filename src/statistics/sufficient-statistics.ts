/**
 * Sufficient statistics of one adjacent layer pair, summed about fixed pivots (method.md, "Sufficient statistics").
 * With a = x - pivotX and b = y - pivotY: sums of a, b, a_i b_j and a_i a_k over the samples. `sumXX` holds both
 * triangles; the sums of squares of x are its diagonal. Matrices are row-major, `[source i, target j]`.
 */
export interface PairStatistics {
  /** `[nodes]` */
  readonly pivotX: Float64Array;
  /** `[nodes]` */
  readonly pivotY: Float64Array;
  /** `[nodes]` */
  readonly sumX: Float64Array;
  /** `[nodes]` */
  readonly sumY: Float64Array;
  /** `[nodes]` */
  readonly sumY2: Float64Array;
  /** `[nodes, nodes]` */
  readonly sumXY: Float64Array;
  /** `[nodes, nodes]`, symmetric */
  readonly sumXX: Float64Array;
  /**
   * `[nodes]`: the diagonal of `sumXX` as rounded by an accumulator that keeps it separately, so that a resumed fit
   * continues bit for bit; absent if there is none
   */
  readonly sumX2?: Float64Array;
}

/** The arrays that all {@link PairStatistics} have. */
export const pairArrays = ['pivotX', 'pivotY', 'sumX', 'sumY', 'sumY2', 'sumXY', 'sumXX'] as const;

/** All that the scores need to know of the samples; saved, loaded and merged. */
export interface SufficientStatistics {
  /** N, function nodes */
  readonly nodes: number;
  /** n, samples */
  readonly samples: number;
  /** P entries, pair p joins block p (x) and block p + 1 (y) */
  readonly pairs: readonly PairStatistics[];
}
