import { ownArrays, type ArrayPool } from '../scoring/array-pool.ts';
import type { LayerAggregation } from '../scoring/score-matrices.ts';
import { SerialQueue } from '../serial-queue.ts';
import { runYielding, type Yielder } from '../statistics/yielder.ts';
import { BUCKETS, type FloatArray } from './order.ts';
import {
  reorder,
  sortBuckets,
  type BucketOrder,
  type PartitionedRows,
  type SortedPlaces,
} from './partitioned-rows.ts';

/** The steps of ranking that another thread can do. */
export interface RankingWork {
  /** Allocates the arrays that the steps work on */
  readonly arrays: ArrayPool;
  /** Sorts all buckets. */
  sortBuckets(partitioned: PartitionedRows<FloatArray>, out: SortedPlaces): Promise<void>;
  /** Reorders arrays of one type. The returned arrays are new and belong to this thread. */
  reorder<T extends FloatArray>(arrays: readonly T[], order: BucketOrder): Promise<readonly T[]>;
}

/**
 * Other threads. They may end at any time, and then reject what they were asked for: the caller does it on this thread.
 */
export interface ScoreThreads extends RankingWork {
  /** Whether they can share memory with this thread: all but `pValues` takes arrays in shared memory only. */
  readonly shareMemory: boolean;
  /**
   * One-sided p of a matrix of scores, row-major `[sources, targets]`, into `out`.
   *
   * @param roots square root of the degrees of freedom of each target
   */
  pValues(scores: FloatArray, roots: Float64Array, out: Float64Array): Promise<void>;
  /** Aggregates the scores of layer pairs, pair of nodes by pair of nodes, into `out`. */
  aggregate(perPair: readonly FloatArray[], layerAgg: LayerAggregation, out: Float64Array): Promise<void>;
}

/** All steps on this thread, one at a time. */
export function localWork(yielder: Yielder): RankingWork {
  const queue = new SerialQueue();
  const run = <T>(work: Generator<undefined, T, undefined>): Promise<T> =>
    queue.run(() => runYielding(work, yielder));
  return {
    arrays: ownArrays,
    sortBuckets: (partitioned, out) => run(sortBuckets(partitioned, 0, BUCKETS, out)),
    reorder: (arrays, order) => run(reorder(arrays, order)),
  };
}
