import type { RaggedIndices } from '../statistics/ragged.ts';

/** Scores that an engine computes from magnitudes */
export type Score = 'corr' | 'partial';
/** All scores of magnitudes */
export type MagnitudeScore = Score | 'regression';
/** All scores that an edge can have */
export type EdgeScore = MagnitudeScore | 'channel';
/** How an engine aggregates the scores of the layer pairs */
export type LayerAggregation = 'mean' | 'max';
/** All aggregations; 'pooled' treats the observations of all layer pairs as those of one. */
export type ScoreAggregation = LayerAggregation | 'pooled';
/** What correlations are computed of: the magnitudes, or their ranks */
export type Correlation = 'pearson' | 'spearman';

/** A request for scores from the sufficient statistics. */
export interface ScoreRequest {
  readonly score: Score;
  /** How the scores of the layer pairs are aggregated (method.md, "Aggregation over pairs"). */
  readonly layerAgg: LayerAggregation;
  /** Added to the diagonal of each conditioning set's covariance, in covariance units. Only for 'partial'. */
  readonly ridge: number;
  /**
   * Replaces all relative limits on variances (method.md, "Constant nodes"): nodes are constant at or below it, and
   * there is no partial score if no more than it remains. Default: none.
   */
  readonly varianceFloor?: number | undefined;
  /** S_j for each target j: ascending, without duplicates, without j. Only read for 'partial'. */
  readonly conditioningSets: RaggedIndices;
  readonly signal?: AbortSignal | undefined;
}

/** A request for the scores of some targets. */
export interface TargetsRequest extends ScoreRequest {
  /** Ascending; the scores of other targets do not change. Absent: all targets */
  readonly targets?: Uint32Array | undefined;
}

/** Scores of all ordered pairs: row-major `[source i, target j]`, NaN if the method defines none. */
export interface ScoreMatrices {
  /** N, function nodes */
  readonly nodes: number;
  /** `[nodes, nodes]`, aggregated over the layer pairs */
  readonly aggregated: Float64Array | Float32Array;
  /** One `[nodes, nodes]` matrix per layer pair */
  readonly perPair: readonly (Float64Array | Float32Array)[];
  /** `[nodes]`, why pairs of a node have no score: see `NODE_FLAG` of `magnitude-edge/statistics` */
  readonly nodeFlags: Uint8Array;
}

/** Standard errors and p-values of the aggregated scores, row-major `[source, target]`. */
export interface ScoreTests {
  /** Analytic standard errors; NaN if there is no score */
  readonly standardError: Float64Array;
  /** One-sided p-values; 1 if there is no score */
  readonly pValues: Float64Array;
}
