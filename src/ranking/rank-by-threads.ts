import { runYielding } from '../statistics/yielder.ts';
import { rootOfFreedom } from '../scoring/degrees-of-freedom.ts';
import { isShared, type NewArray } from '../scoring/array-pool.ts';
import type { FloatArray } from './order.ts';
import { qValuesOf, type RankedWithPairs, type RankSettings } from './ranked-pairs.ts';
import type { SharedThreads } from './score-threads.ts';
import { partition, placesFor } from './sort-with-payload.ts';

/**
 * As `rankPairs`, with other threads: they compute p while this one puts the rows into buckets, then sort the buckets,
 * and put p and the scores of the layer pairs in that order while this one computes q.
 *
 * @returns undefined where the scores, or those of layer pairs, are not in shared memory, or cannot be dealt
 * @throws what the threads are refused with, once they have ended; the scores are as they were
 */
export async function rankByThreads(
  scores: FloatArray,
  perPair: readonly FloatArray[],
  nodes: number,
  { excludeSelf, samples, conditioned, yielder }: RankSettings,
  threads: SharedThreads,
): Promise<RankedWithPairs | undefined> {
  if (![scores, ...perPair].every(isShared)) return undefined;
  const { arrays } = threads;
  const taken: ArrayBufferView[] = [];
  const take: NewArray = (type, length) => {
    const array = arrays.alloc(type, length);
    taken.push(array);
    return array;
  };
  const asked: Promise<unknown>[] = [];
  /** Something that is awaited later: should it fail before, somebody has heard. */
  const later = <T>(promise: Promise<T>): Promise<T> => {
    asked.push(promise);
    promise.catch(() => undefined);
    return promise;
  };
  try {
    const roots = Float64Array.from({ length: nodes }, (_, j) =>
      rootOfFreedom(samples, conditioned?.[j] ?? 0),
    );
    const pOfPairs = take(Float64Array, scores.length);
    const tails = later(threads.tails(scores, roots, pOfPairs));
    const skip = excludeSelf ? nodes + 1 : undefined;
    const partitioned = await runYielding(partition(scores, 'descending', skip, take), yielder);
    if (partitioned === undefined) return undefined;
    const sorted = placesFor(partitioned, take);
    await later(threads.sortBuckets(partitioned, sorted));
    await tails;
    const order = { places: partitioned.places, inOrder: sorted.inOrder };
    const pInOrder = later(threads.reorder([pOfPairs], order));
    const pairsInOrder = later(threads.reorder(perPair, order));
    // Shared memory is used again, and no place for the columns of a table; a bucket is this thread's own.
    const [elements, corr] = [sorted.rows.slice(), partitioned.values.slice()];
    const [p] = (await pInOrder) as [Float64Array];
    const q = qValuesOf(p, conditioned);
    await yielder();
    return { elements, corr, p, q, perPair: await pairsInOrder };
  } finally {
    // Once nobody works on them any more; after an abort some still do.
    void Promise.allSettled(asked).then(() => {
      arrays.free(taken);
    });
  }
}
