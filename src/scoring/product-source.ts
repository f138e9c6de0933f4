import type { PairMoments } from '../statistics/covariances.ts';
import type { Tile } from '../statistics/tiled-matmul.ts';
import type { TargetRange } from './target-panels.ts';

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

/** What the scores of a panel of targets need of one layer pair. */
export interface PanelProducts extends PairBasis {
  /** X^T Y with the targets of the panel, ascending; a tile is good until the next one is asked for. */
  readonly tiles: AsyncIterable<Tile> | Iterable<Tile>;
}

/** Products of layer pairs for one request: sums that are held, or products that are formed panel by panel. */
export interface ProductSource {
  /** N, function nodes */
  readonly nodes: number;
  /**
   * Products for a panel of targets, good until the next call. Cheapest pair by pair, and panels in ascending order.
   *
   * @param panel positions among the targets of the request, which are all where none were named
   */
  open(pair: number, panel: TargetRange): Promise<PanelProducts>;
  /** Frees what it works in, for good. */
  release(): void;
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
