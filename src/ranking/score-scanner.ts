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
 * What choosing rows asks of the scores: passes over all the aggregated ones, wherever they are, that bring back
 * little. All N^2 ordered pairs are seen, i -> i among them; NaN is in a bin of its own, the last.
 */
export interface ScoreScanner {
  readonly nodes: number;
  /** How many scores each bin has: K + 2 counts */
  count(thresholds: Thresholds): Promise<Uint32Array>;
  /**
   * The scores of some bins.
   *
   * @param wanted K + 2 flags
   * @param most how many there are, from {@link ScoreScanner.count}
   */
  collect(thresholds: Thresholds, wanted: Uint8Array, most: number): Promise<ScoredPairs>;
  /**
   * The scores of all bins, some bins at a time in the order given: what {@link ScoreScanner.collect} would give for
   * each, in fewer passes where that can be had.
   *
   * @param groups first bin and one past the last
   * @param counts what {@link ScoreScanner.count} gave
   */
  inGroups(
    thresholds: Thresholds,
    groups: readonly BinRange[],
    counts: Uint32Array,
  ): AsyncIterable<ScoredPairs>;
  /**
   * How many scores of each target are none: `[nodes, 3]` counts, with sources that are not flagged, with those that are,
   * and with itself.
   *
   * @param flagged 1 for each source that is
   */
  missing(flagged: Uint8Array): Promise<Uint32Array>;
  /** Aggregated scores of some pairs. */
  aggregatedAt(pairIndices: Uint32Array): Promise<Float64Array | Float32Array>;
  /** Scores of some pairs in each layer pair. */
  perPairAt(pairIndices: Uint32Array): Promise<(Float64Array | Float32Array)[]>;
}
