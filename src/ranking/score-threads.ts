import type { ArrayPool } from '../scoring/array-pool.ts';
import type { FloatArray } from './order.ts';
import type { PValueRows } from './p-values.ts';
import type { LayerAggregation } from '../scoring/score-matrices.ts';
import type { BucketOrder, PartitionedRows, SortedPlaces } from './sort-with-payload.ts';

/**
 * Work on scores that other threads do while this one does something else. They may end at any time, and what they were
 * asked is refused then: whoever asks does it on this thread instead.
 */
export interface ScoreThreads {
  /** One-sided p of each row. */
  pValues(rows: PValueRows): Promise<Float64Array>;
  /** Where they have memory in common with this thread */
  readonly shared: SharedThreads | undefined;
}

/** Work on arrays in shared memory, all of which must be. */
export interface SharedThreads {
  /** Arrays in shared memory */
  readonly arrays: ArrayPool;
  /** Aggregates the scores of layer pairs, element by element, into `out`. */
  aggregate(perPair: readonly FloatArray[], layerAgg: LayerAggregation, out: Float64Array): Promise<void>;
  /**
   * One-sided p of a matrix of scores, row-major `[sources, targets]`, into `out`.
   *
   * @param roots square root of the degrees of freedom of each target; need not be shared
   */
  tails(scores: FloatArray, roots: Float64Array, out: Float64Array): Promise<void>;
  /** Sorts all buckets. */
  sortBuckets(partitioned: PartitionedRows<FloatArray>, out: SortedPlaces): Promise<void>;
  /** Each of the arrays in an order. The arrays that come back are new, and this thread's own. */
  reorder<T extends FloatArray>(arrays: readonly T[], order: BucketOrder): Promise<readonly T[]>;
}
