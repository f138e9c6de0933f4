import type { Thresholds } from './thresholds.ts';

/** Some of the ordered pairs with their scores, in any order. */
export interface ScoredPairs {
  /** `source * nodes + target` */
  readonly pairIndices: Uint32Array;
  /** Aggregated scores */
  readonly scores: Float64Array | Float32Array;
}

/** Bins `first .. end`. */
export interface BinRange {
  readonly first: number;
  readonly end: number;
}

/**
 * Access to the scores for choosing rows: passes over all aggregated scores, wherever they are, that return little. All
 * N^2 ordered pairs are scanned, including i -> i; NaN is in a bin of its own, the last.
 */
export interface ScoreScanner {
  readonly nodes: number;
  /** Number of scores in each bin: K + 2 counts */
  count(thresholds: Thresholds): Promise<Uint32Array>;
  /**
   * The scores of some bins.
   *
   * @param binFlags K + 2 flags
   * @param most how many there are, from {@link ScoreScanner.count}
   */
  collect(thresholds: Thresholds, binFlags: Uint8Array, most: number): Promise<ScoredPairs>;
  /**
   * The scores of groups of bins, one group at a time in the order given: what {@link ScoreScanner.collect} would
   * return for each, in fewer passes if possible.
   *
   * @param groups first bin and one past the last
   * @param counts from {@link ScoreScanner.count}
   */
  inGroups(
    thresholds: Thresholds,
    groups: readonly BinRange[],
    counts: Uint32Array,
  ): AsyncIterable<ScoredPairs>;
  /**
   * Counts the missing scores of each target: `[nodes, 3]` counts, with unflagged sources, with flagged ones, and with
   * the target itself.
   *
   * @param flagged 1 for each flagged source
   */
  missing(flagged: Uint8Array): Promise<Uint32Array>;
  /** Aggregated scores of some pairs. */
  aggregatedAt(pairIndices: Uint32Array): Promise<Float64Array | Float32Array>;
  /** Scores of some pairs in each layer pair. */
  perPairAt(pairIndices: Uint32Array): Promise<(Float64Array | Float32Array)[]>;
}
