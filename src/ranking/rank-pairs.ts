import { isShared, type ArrayType } from '../scoring/array-pool.ts';
import { rootsOfTargets, type DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import type { ScoreMatrices } from '../scoring/score-matrices.ts';
import { benjaminiHochberg } from '../scoring/significance.ts';
import { runYielding, type Yielder } from '../statistics/yielder.ts';
import { gather } from './gather.ts';
import { sortedOrder, type FloatArray } from './order.ts';
import { partition, placesFor } from './partitioned-rows.ts';
import { pValuesOfPairs } from './p-values.ts';
import { localWork, type RankingWork, type ScoreThreads } from './ranking-work.ts';

/** Ordered pairs of nodes, sorted as in the edge table: by score, descending, NaN last, ties by (source, target). */
export interface RankedPairs {
  /** `source * nodes + target` of each row */
  readonly pairIndices: Uint32Array;
  /** Aggregated scores */
  readonly scores: FloatArray;
  /** One-sided p-values */
  readonly p: Float64Array;
  /** Benjamini-Hochberg over all rows of the table */
  readonly q: Float64Array;
}

/** {@link RankedPairs} with scores of the layer pairs. */
export interface RankedWithPairs extends RankedPairs {
  /** In the order of the rows */
  readonly perPair: readonly FloatArray[];
}

/** How pairs are ranked. */
export interface RankSettings {
  /** Leaves out i -> i */
  readonly excludeSelf: boolean;
  readonly dfGroups: DegreesOfFreedomGroups;
  /** If p does not follow from the scores: p of each pair, `[source, target]`, or none, which makes p and q 1 */
  readonly testP?: { readonly p: Float64Array | undefined } | undefined;
  /** Called between pieces of work */
  readonly yielder: Yielder;
}

/**
 * Sorts all pairs by score and computes p and q of each (method.md, "Significance").
 *
 * @param matrices row-major `[nodes, nodes]` each; scores of layer pairs, if any, are sorted like the aggregated ones
 * @param threads do what they can; this thread does the rest, or all of it if they end meanwhile
 */
export async function rankPairs(
  matrices: Pick<ScoreMatrices, 'nodes' | 'aggregated' | 'perPair'>,
  settings: RankSettings,
  threads?: ScoreThreads,
): Promise<RankedWithPairs> {
  const local = localWork(settings.yielder);
  if (threads === undefined || settings.testP !== undefined) return rank(matrices, settings, local);
  const shared = threads.shareMemory && [matrices.aggregated, ...matrices.perPair].every(isShared);
  // Their engine may be released, and the threads with it, while its scores are still in use.
  return rank(matrices, settings, shared ? threads : local, threads).catch(() =>
    rank(matrices, settings, local),
  );
}

/** @param threads compute p while this one begins to sort; not if p is given */
async function rank(
  { nodes, aggregated, perPair }: Pick<ScoreMatrices, 'nodes' | 'aggregated' | 'perPair'>,
  { excludeSelf, dfGroups, testP, yielder }: RankSettings,
  work: RankingWork,
  threads?: ScoreThreads,
): Promise<RankedWithPairs> {
  const taken = new Set<ArrayBufferView>();
  const alloc = <T extends ArrayBufferView>(type: ArrayType<T>, length: number): T => {
    const array = work.arrays.alloc(type, length);
    taken.add(array);
    return array;
  };
  /** Keeps an array of {@link alloc}: shared memory is reused, so the columns of a table must not lie in it. */
  const keep = <T extends FloatArray | Uint32Array>(array: T): T => {
    if (isShared(array)) return array.slice() as T;
    taken.delete(array);
    return array;
  };
  const pending: Promise<unknown>[] = [];
  /** Marks the rejection of a promise that is awaited later as handled until then. */
  const later = <T>(promise: Promise<T>): Promise<T> => {
    pending.push(promise);
    promise.catch(() => undefined);
    return promise;
  };
  try {
    const pOfPairs = threads ? alloc(Float64Array, aggregated.length) : testP?.p;
    const computed = threads && later(threads.pValues(aggregated, rootsOfTargets(dfGroups), pOfPairs!));
    const skip = excludeSelf ? nodes + 1 : undefined;
    const partitioned = await runYielding(partition(aggregated, 'descending', skip, alloc), yielder);
    const sorted = placesFor(partitioned, alloc);
    await later(work.sortBuckets(partitioned, sorted));
    await computed;
    const order = { places: partitioned.places, inOrder: sorted.inOrder };
    const pInOrder = pOfPairs && later(work.reorder([pOfPairs], order));
    const pairsInOrder = later(work.reorder(perPair, order));
    const pairIndices = keep(sorted.rows);
    const scores = keep(partitioned.values);
    let p = (await pInOrder)?.[0];
    if (testP) p ??= new Float64Array(pairIndices.length).fill(1);
    p ??= await runYielding(pValuesOfPairs({ pairIndices, scores }, dfGroups), yielder);
    // If all targets have the same degrees of freedom, p rises as the score falls: the rows are sorted by p already.
    const inOrder = testP ? testP.p === undefined : dfGroups.roots.length === 1;
    const q = benjaminiHochberg(p, inOrder ? undefined : sortedOrder(p, 'ascending'));
    await yielder();
    return { pairIndices, scores, p, q, perPair: await pairsInOrder };
  } finally {
    // Once all work on them has ended; after an abort some still runs.
    void Promise.allSettled(pending).then(() => {
      work.arrays.free(taken);
    });
  }
}

/** Only the given rows, in the given order. */
export function pickRows({ pairIndices, scores, p, q }: RankedPairs, rows: Uint32Array): RankedPairs {
  return {
    pairIndices: gather(pairIndices, rows),
    scores: gather(scores, rows),
    p: gather(p, rows),
    q: gather(q, rows),
  };
}
