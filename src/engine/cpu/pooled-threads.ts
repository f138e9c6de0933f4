import { allSettledOrThrow } from '../../all-settled-or-throw.ts';
import { canShare, SharedArrays } from '../../scoring/array-pool.ts';
import { BUCKETS, type FloatArray } from '../../ranking/order.ts';
import { copyRows, type PValueRows } from '../../ranking/p-values.ts';
import type { LayerAggregation } from '../../scoring/score-matrices.ts';
import type { ScoreThreads, SharedThreads } from '../../ranking/score-threads.ts';
import type { BucketOrder, PartitionedRows, SortedPlaces } from '../../ranking/sort-with-payload.ts';
import type { WorkerClient } from '../worker-client.ts';

/** {@link ScoreThreads} of workers. */
export class PooledThreads implements ScoreThreads {
  readonly shared: PooledSharedThreads | undefined;
  readonly #workers: readonly WorkerClient[];

  constructor(workers: readonly WorkerClient[]) {
    this.#workers = workers;
    this.shared = canShare() ? new PooledSharedThreads(workers) : undefined;
  }

  async pValues(rows: PValueRows): Promise<Float64Array> {
    const p = new Float64Array(rows.scores.length);
    await inParts(this.#workers, evenly(p.length), async (worker, first, end) => {
      p.set(await worker.call('pValues', copyRows(rows, first, end)), first);
    });
    return p;
  }
}

class PooledSharedThreads implements SharedThreads {
  readonly arrays = new SharedArrays();
  /** Whose turn it is */
  #turn = 0;
  readonly #workers: readonly WorkerClient[];

  constructor(workers: readonly WorkerClient[]) {
    this.#workers = workers;
  }

  aggregate(perPair: readonly FloatArray[], layerAgg: LayerAggregation, out: Float64Array): Promise<void> {
    return inParts(this.#workers, evenly(out.length), (worker, first, end) =>
      worker.call('aggregate', { perPair, layerAgg, first, end, out }),
    );
  }

  tails(scores: FloatArray, roots: Float64Array, out: Float64Array): Promise<void> {
    return inParts(this.#workers, evenly(scores.length / roots.length), (worker, first, end) =>
      worker.call('tails', { scores, roots: roots.slice(), first, end, out }),
    );
  }

  sortBuckets(partitioned: PartitionedRows<FloatArray>, out: SortedPlaces): Promise<void> {
    const { ends, rows } = partitioned;
    // Buckets with about as many rows for each worker.
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
    // Dealt in turns, also from one call to the next.
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

/** Has each worker do its part of something that is divided up at the places that `placeAt` gives for 0 to 1. */
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
