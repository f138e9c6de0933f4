import type { Tile } from '../statistics/tiled-matmul.ts';
import type { PairBasis, ScoreColumns } from './product-source.ts';

/**
 * Pearson correlations of one layer pair (method.md, "score = 'corr'"), for the targets of a tile and a range of
 * sources.
 *
 * @param out columns of scores, including those of the tile; rows `firstSource .. endSource` are written
 */
export function pearsonScores(
  { samples, moments }: PairBasis,
  { values, stride, first, end }: Tile,
  firstSource: number,
  endSource: number,
  out: ScoreColumns,
): void {
  const { meanX, meanY, varX, varY } = moments;
  const scale = 1 / samples;
  const targets = end - first;
  const reciprocalY = new Float64Array(targets);
  for (let t = 0; t < targets; t++) reciprocalY[t] = 1 / Math.sqrt(varY[first + t]!);
  for (let i = firstSource; i < endSource; i++) {
    const from = i * stride;
    const to = i * out.stride + first - out.first;
    const reciprocalX = 1 / Math.sqrt(varX[i]!);
    const mean = meanX[i]!;
    for (let t = 0; t < targets; t++) {
      const covariance = values[from + t]! * scale - mean * meanY[first + t]!;
      // NaN variances of constant nodes pass through.
      out.values[to + t] = Math.max(-1, Math.min(1, covariance * reciprocalX * reciprocalY[t]!));
    }
  }
}
