import type { PairStatistics } from './sufficient-statistics.ts';

/** Means of the deviations and variances of one layer pair; divided by n, not n - 1 (method.md, "Covariances"). */
export interface PairMoments {
  /** `[nodes]`, mean of x - pivotX */
  readonly meanX: Float64Array;
  /** `[nodes]`, mean of y - pivotY */
  readonly meanY: Float64Array;
  /** `[nodes]`, never negative */
  readonly varX: Float64Array;
  /** `[nodes]`, never negative */
  readonly varY: Float64Array;
  /** `[nodes]`, mean of x^2: of the magnitudes themselves, not of their deviations from the pivot */
  readonly meanX2: Float64Array;
  /** `[nodes]`, mean of y^2, likewise */
  readonly meanY2: Float64Array;
}

/** Means of squares of magnitudes, from the means and variances of their deviations from pivots. */
export function meanSquares(
  pivots: Float64Array,
  means: Float64Array,
  variances: Float64Array,
): Float64Array {
  return variances.map((variance, i) => variance + (pivots[i]! + means[i]!) ** 2);
}

/** What the scores need per node; covariances are formed from the sums where they are used. */
export function pairMoments(pair: PairStatistics, samples: number): PairMoments {
  const nodes = pair.sumX.length;
  const scale = 1 / samples;
  const meanX = pair.sumX.map((sum) => sum * scale);
  const meanY = pair.sumY.map((sum) => sum * scale);
  const varX = meanX.map((mean, i) => Math.max(pair.sumXX[i * nodes + i]! * scale - mean * mean, 0));
  const varY = meanY.map((mean, j) => Math.max(pair.sumY2[j]! * scale - mean * mean, 0));
  const meanX2 = meanSquares(pair.pivotX, meanX, varX);
  const meanY2 = meanSquares(pair.pivotY, meanY, varY);
  return { meanX, meanY, varX, varY, meanX2, meanY2 };
}

/** Means, variances and the full covariance matrices, row-major `[source i, target j]` and `[i, k]`. */
export interface PairCovariances extends PairMoments {
  readonly covXY: Float64Array;
  readonly covXX: Float64Array;
}

/** Covariances of one layer pair (method.md, "Covariances"), new arrays owned by the caller. */
export function covariances(pair: PairStatistics, samples: number): PairCovariances {
  const moments = pairMoments(pair, samples);
  const { meanX, meanY } = moments;
  const scale = 1 / samples;
  const nodes = meanX.length;
  const covXY = new Float64Array(nodes * nodes);
  const covXX = new Float64Array(nodes * nodes);
  for (let i = 0; i < nodes; i++) {
    for (let j = 0; j < nodes; j++) {
      const at = i * nodes + j;
      covXY[at] = pair.sumXY[at]! * scale - meanX[i]! * meanY[j]!;
      covXX[at] = pair.sumXX[at]! * scale - meanX[i]! * meanX[j]!;
    }
  }
  return { ...moments, covXY, covXX };
}
