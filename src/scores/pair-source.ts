import { pairMoments, type PairMoments } from '../statistics/covariances.ts';
import type { Tile } from '../statistics/products.ts';
import type { PairStatistics } from '../statistics/sufficient-statistics.ts';

/** Sums of one layer pair about its pivots, as the scores read them, however they come about. */
export interface PairSource {
  /** N, function nodes */
  readonly nodes: number;
  /** n, samples */
  readonly samples: number;
  readonly moments: PairMoments;
  /** X^T Y, all targets in ascending order, some at a time; a tile is good until the next one is asked for. */
  targets(): AsyncIterable<Tile> | Iterable<Tile>;
  /** Copies a row of X^T X, `[nodes]`, to `out` from `at` on. Only for partial scores. */
  sourceRow(source: number, out: Float64Array, at: number): void;
}

/** The sums of one layer pair, held whole. */
export function statisticsSource(pair: PairStatistics, samples: number): PairSource {
  const nodes = pair.sumX.length;
  const { sumXX } = pair;
  return {
    nodes,
    samples,
    moments: pairMoments(pair, samples),
    targets: () => [{ values: pair.sumXY, stride: nodes, first: 0, end: nodes }],
    sourceRow: (source, out, at) => {
      out.set(sumXX.subarray(source * nodes, (source + 1) * nodes), at);
    },
  };
}
