import type { PairMoments } from '../statistics/covariances.ts';
import type { PairStatistics } from '../statistics/sufficient-statistics.ts';
import { EPS } from './request.ts';

/**
 * Pearson correlations of one layer pair (method.md, "score = 'corr'"), for the sources of a range.
 *
 * @param out row-major `[nodes, nodes]`; rows `firstSource .. endSource` are written
 */
export function pearsonScores(
  pair: PairStatistics,
  moments: PairMoments,
  samples: number,
  firstSource: number,
  endSource: number,
  out: Float64Array,
): void {
  const { meanX, meanY, varX, varY } = moments;
  const nodes = meanX.length;
  const scale = 1 / samples;
  for (let i = firstSource; i < endSource; i++) {
    const row = i * nodes;
    const variance = varX[i]!;
    if (variance <= EPS) {
      out.fill(NaN, row, row + nodes);
      continue;
    }
    const mean = meanX[i]!;
    for (let j = 0; j < nodes; j++) {
      const covariance = pair.sumXY[row + j]! * scale - mean * meanY[j]!;
      const r = covariance / Math.max(Math.sqrt(variance * varY[j]!), EPS);
      out[row + j] = varY[j]! <= EPS ? NaN : Math.max(-1, Math.min(1, r));
    }
  }
}
