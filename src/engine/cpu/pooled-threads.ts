import { allSettledOrThrow } from '../../all-settled-or-throw.ts';
import { canShare, isShared, ownArrays, SharedArrays, type ArrayPool } from '../../scoring/array-pool.ts';
import { BUCKETS, type FloatArray } from '../../ranking/order.ts';
import type { LayerAggregation } from '../../scoring/score-matrices.ts';
import type { ScoreThreads } from '../../ranking/ranking-work.ts';
import type { BucketOrder, PartitionedRows, SortedPlaces } from '../../ranking/partitioned-rows.ts';
import type { WorkerClient } from '../worker-client.ts';

/** {@link ScoreThreads} of workers. */
export class PooledThreads implements ScoreThreads {
  readonly shareMemory = canShare();
  readonly arrays: ArrayPool;
  readonly #shared = this.shareMemory ? new SharedArrays() : undefined;
  readonly #workers: readonly WorkerClient[];
  /** Index of the worker that gets the next array */
  #turn = 0;

  constructor(workers: readonly WorkerClient[]) {
    this.#workers = workers;
    this.arrays = this.#shared ?? ownArrays;
  }

  /** Stops keeping memory for reuse. */
  end(): void {
    this.#shared?.end();
  }

  aggregate(perPair: readonly FloatArray[], layerAgg: LayerAggregation, out: Float64Array): Promise<void> {
    return inParts(this.#workers, evenly(out.length), (worker, first, end) =>
      worker.call('aggregate', { perPair, layerAgg, first, end, out }),
    );
  }

  pValues(scores: FloatArray, roots: Float64Array, out: Float64Array): Promise<void> {
    const targets = roots.length;
    return inParts(this.#workers, evenly(scores.length / targets), async (worker, first, end) => {
      if (isShared(scores) && isShared(out)) {
        await worker.call('pValues', { scores, roots: roots.slice(), first, end, out });
        return;
      }
      const own = scores.slice(first * targets, end * targets);
      const part = { scores: own, roots: roots.slice(), first: 0, end: end - first };
      out.set(await worker.call('pValues', { ...part, out: new Float64Array(own.length) }), first * targets);
    });
  }

  sortBuckets(partitioned: PartitionedRows<FloatArray>, out: SortedPlaces): Promise<void> {
    const { ends, rows } = partitioned;
    // Cuts between buckets so that each worker gets about as many rows.
    const bucketAt = (share: number): number => {
      const before = ends.filter((end) => end <= share * rows.length).length;
      return share === 1 ? BUCKETS : Math.min(before, BUCKETS);
    };
    return inParts(this.#workers, bucketAt, (worker, first, end) =>
      worker.call('sortBuckets', { partitioned, first, end, out }),
    );
  }

  async reorder<T extends FloatArray>(arrays: readonly T[], order: BucketOrder): Promise<readonly T[]> {
    const workers = this.#workers;
    // Round robin, continued from one call to the next.
    const turnOf = (a: number): number => (this.#turn + a) % workers.length;
    const shares = workers.map((_, w) => arrays.flatMap((_, a) => (turnOf(a) === w ? [a] : [])));
    this.#turn = turnOf(arrays.length);
    const reordered = new Array<T>(arrays.length);
    await allSettledOrThrow(
      workers.map(async (worker, w) => {
        const places = shares[w]!;
        if (places.length === 0) return;
        const found = await worker.call('reorder', { arrays: places.map((a) => arrays[a]!), order });
        places.forEach((a, k) => (reordered[a] = found[k] as T));
      }),
    );
    return reordered;
  }
}

/** Has each worker do its part of the work; `placeAt` maps shares from 0 to 1 to the places of the cuts. */
async function inParts(
  workers: readonly WorkerClient[],
  placeAt: (share: number) => number,
  ask: (worker: WorkerClient, first: number, end: number) => Promise<unknown>,
): Promise<void> {
  await allSettledOrThrow(
    workers.map((worker, w) => ask(worker, placeAt(w / workers.length), placeAt((w + 1) / workers.length))),
  );
}

function evenly(length: number): (share: number) => number {
  return (share) => Math.round(share * length);
}
