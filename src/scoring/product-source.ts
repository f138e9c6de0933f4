import type { PairMoments } from '../statistics/covariances.ts';
import type { Tile } from '../statistics/tiled-matmul.ts';
import type { TargetRange } from './target-panels.ts';

/** What the scores of one layer pair need besides X^T Y; all sums are about its pivots. */
export interface PairBasis {
  /** N, function nodes */
  readonly nodes: number;
  /** n, samples */
  readonly samples: number;
  /** As returned by {@link scoredMoments}: variances of constant nodes are NaN */
  readonly moments: PairMoments;
  /** X^T X. Only for partial scores. */
  readonly sources: SourceProducts;
}

/** What the scores of a panel of targets need of one layer pair. */
export interface PanelProducts extends PairBasis {
  /** X^T Y with the targets of the panel, ascending; a tile is valid until the next one is requested. */
  readonly tiles: AsyncIterable<Tile> | Iterable<Tile>;
}

/** Products of layer pairs for one request: sums that are held, or products that are formed panel by panel. */
export interface ProductSource {
  /** N, function nodes */
  readonly nodes: number;
  /**
   * Products for a panel of targets, valid until the next call. Cheapest pair by pair, with panels in ascending order.
   *
   * @param panel positions among the targets of the request, or among all if it names none
   */
  open(pair: number, panel: TargetRange): Promise<PanelProducts>;
  /** Frees its memory for good. */
  release(): void;
}

/** Where scores are written: row-major `[nodes, stride]`, starting with the column of target `first`. */
export interface ScoreColumns {
  readonly values: Float64Array | Float32Array;
  readonly stride: number;
  readonly first: number;
}

/** X^T X, in any storage. */
export interface SourceProducts {
  at(source: number, other: number): number;
  /** Copies columns `first .. end` of one row to `out`, from `to` on. */
  copyPart(source: number, first: number, end: number, out: Float64Array, to: number): void;
}

/** X^T X for plain correlations, which read none of it. */
export const noSources: SourceProducts = { at: () => NaN, copyPart: () => undefined };
