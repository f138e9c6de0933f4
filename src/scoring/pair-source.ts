import { pairMoments, type PairMoments } from '../statistics/covariances.ts';
import type { Tile } from '../statistics/tiled-matmul.ts';
import type { PairStatistics } from '../statistics/sufficient-statistics.ts';
import { scoredMoments } from './constant-nodes.ts';

/** What the scores of one layer pair need beside X^T Y; all sums are about its pivots. */
export interface PairBasis {
  /** N, function nodes */
  readonly nodes: number;
  /** n, samples */
  readonly samples: number;
  /** As {@link scoredMoments} gives them: variances of constant nodes are NaN */
  readonly moments: PairMoments;
  /** X^T X. Only for partial scores. */
  readonly sources: SourceProducts;
}

/** Sums of one layer pair, as the scores read them, however they come about. */
export interface PairSource extends PairBasis {
  /** X^T Y, all targets in ascending order, some at a time; a tile is good until the next one is asked for. */
  targets(): AsyncIterable<Tile> | Iterable<Tile>;
}

/** Where scores are written: row-major `[nodes, stride]`, the column of target `first` coming first. */
export interface ScoreColumns {
  readonly values: Float64Array | Float32Array;
  readonly stride: number;
  readonly first: number;
}

/** X^T X, however it is held. */
export interface SourceProducts {
  at(source: number, other: number): number;
  /** Copies columns `first .. end` of one row to `out`, from `to` on. */
  copyPart(source: number, first: number, end: number, out: Float64Array, to: number): void;
}

/** What plain correlations read of X^T X: nothing. */
export const noSources: SourceProducts = { at: () => NaN, copyPart: () => undefined };

/** The sums of one layer pair, held whole. */
export function statisticsSource(
  pair: PairStatistics,
  samples: number,
  varianceFloor: number | undefined,
): PairSource {
  const nodes = pair.sumX.length;
  return {
    nodes,
    samples,
    moments: scoredMoments(pairMoments(pair, samples), varianceFloor),
    targets: () => [{ values: pair.sumXY, stride: nodes, first: 0, end: nodes }],
    sources: wholeProducts(pair.sumXX, nodes),
  };
}

function wholeProducts(sums: Float64Array, nodes: number): SourceProducts {
  return {
    at: (source, other) => sums[source * nodes + other]!,
    copyPart: (source, first, end, out, to) => {
      const from = source * nodes;
      for (let j = first; j < end; j++) out[to + j - first] = sums[from + j]!;
    },
  };
}
