import { allSettledOrThrow } from '../../all-settled-or-throw.ts';
import type { MagnitudeEdgeError } from '../../errors.ts';
import type { PairStatistics, SufficientStatistics } from '../../statistics/sufficient-statistics.ts';
import { copyStatistics } from '../../statistics/merge.ts';
import {
  emptyPlan,
  type CpuSums,
  type HostChannelBatch,
  type PlanInForce,
  type SumsShape,
} from './cpu-sums.ts';
import type { Added } from './worker-protocol.ts';
import { PooledSnapshot, type Share } from './pooled-snapshot.ts';
import { PooledThreads } from './pooled-threads.ts';
import script from './cpu-worker.ts?script';
import type { MagnitudeBatch } from '../engine.ts';
import { WorkerClient } from '../worker-client.ts';

/** Batches that workers may be behind: one being accumulated and one pending. */
const MAX_BATCHES_BEHIND = 2;

/**
 * Sums spread over workers, each of which keeps whole layer pairs. Magnitudes, sums and scores of a pair stay in its
 * worker until they are requested, no shared memory is needed (pages without cross-origin isolation have none), and
 * every number equals that of a single thread.
 */
export class PooledSums implements CpuSums {
  readonly note: string;
  readonly threads: PooledThreads;
  readonly #shape: SumsShape;
  readonly #shares: readonly Share[];
  /** Pending batches, oldest first */
  readonly #behind: Promise<readonly PlanInForce[]>[] = [];
  /** Arrays of recent batches that workers have returned for reuse: filling new memory takes twice as long. */
  readonly #spare: Float32Array[] = [];
  #samples = 0;
  /** Number of snapshots taken, which is the id of the next one */
  #snapshots = 0;
  #inForce: PlanInForce;
  /** Why workers no longer hold sums over the same samples; no worker is called after that. */
  #failure: Error | undefined;

  private constructor(shape: SumsShape, shares: readonly Share[], arithmetic: string) {
    this.#shape = shape;
    this.#inForce = emptyPlan(shape);
    this.#shares = shares;
    this.threads = new PooledThreads(shares.map(({ worker }) => worker));
    const workers = shares.length === 1 ? 'one worker' : `${shares.length} workers`;
    this.note = `${arithmetic}, ${workers}`;
  }

  /**
   * Starts the workers and waits until they answer.
   *
   * @param threads maximum number of workers; no more are started than shorten the work
   * @throws `runtime` if workers cannot be started, `out-of-memory` if the sums do not fit
   */
  static async open(shape: SumsShape, threads: number): Promise<PooledSums> {
    const shares: Share[] = [];
    try {
      for (const pairs of dealPairs(shape.pairs, threads)) {
        shares.push({ worker: new WorkerClient(script, 'cpu-worker'), pairs });
      }
      const arithmetic = await Promise.all(
        shares.map(({ worker, pairs }) => worker.call('open', structuredClone(shareOf(shape, pairs.length)))),
      );
      return new PooledSums(shape, shares, arithmetic[0]!);
    } catch (error) {
      for (const { worker } of shares) worker.terminate();
      throw error;
    }
  }

  get workers(): number {
    return this.#shares.length;
  }

  get samples(): number {
    return this.#samples;
  }

  get lost(): Error | undefined {
    return (
      this.#failure ?? this.#shares.map(({ worker }) => worker.ended).find((ended) => ended !== undefined)
    );
  }

  get inForce(): PlanInForce {
    return this.#inForce;
  }

  addChannels({ size, activations, gradients, transferable }: HostChannelBatch): Promise<void> {
    const own = this.#ownArrays(transferable);
    return this.#add(size, ({ worker, pairs }) =>
      worker.call('addChannels', {
        size,
        activations: own(activations, pairs),
        gradients: own(gradients, pairs),
        transferable,
      }),
    );
  }

  addMagnitudes({ size, x, y, transferable }: MagnitudeBatch): Promise<void> {
    const own = this.#ownArrays(transferable);
    return this.#add(size, ({ worker, pairs }) =>
      worker.call('addMagnitudes', { size, x: own(x, pairs), y: own(y, pairs), transferable }),
    );
  }

  async drain(): Promise<void> {
    await this.#catchUp(0);
    this.#spare.length = 0;
  }

  async snapshot(): Promise<PooledSnapshot> {
    await this.drain();
    const id = this.#snapshots++;
    await Promise.all(this.#shares.map(({ worker }) => worker.call('snapshot', id)));
    return new PooledSnapshot(this.#shape.nodes, this.#shares, id);
  }

  async statistics(): Promise<SufficientStatistics> {
    await this.drain();
    const pairs = await this.#gather<PairStatistics>(async ({ worker }) => {
      return (await worker.call('statistics', undefined)).pairs;
    });
    return { nodes: this.#shape.nodes, samples: this.#samples, pairs };
  }

  async merge(statistics: SufficientStatistics): Promise<void> {
    await this.drain();
    this.#change(({ worker, pairs }) => {
      const held = pairs.map((p) => statistics.pairs[p]!);
      return worker.call('merge', copyStatistics({ ...statistics, pairs: held }));
    });
    this.#samples += statistics.samples;
    await this.drain();
  }

  reset(): void {
    this.#samples = 0;
    this.#inForce = emptyPlan(this.#shape);
    this.#change(({ worker }) => worker.call('reset', undefined));
  }

  release(why?: MagnitudeEdgeError): void {
    for (const { worker } of this.#shares) worker.terminate(why);
    this.threads.end();
  }

  async #add(size: number, send: (share: Share) => Promise<Added>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#change(async (share) => {
      const { inForce, spent } = await send(share);
      this.#spare.push(...spent);
      return inForce;
    });
    this.#samples += size;
    await this.#catchUp(MAX_BATCHES_BEHIND);
  }

  /** How to get arrays to transfer. @param transferable whether the batch's own arrays may be transferred */
  #ownArrays(transferable = false) {
    return (values: readonly Float32Array[], pairs: readonly number[]): Float32Array[] =>
      transferable ? pairs.map((p) => withOwnBuffer(values[p]!)) : this.#copies(values, pairs);
  }

  /** Copies to transfer: the caller keeps its own arrays, and a view would take its whole buffer along. */
  #copies(values: readonly Float32Array[], pairs: readonly number[]): Float32Array[] {
    return pairs.map((p) => {
      const own = values[p]!;
      const spare = this.#spare.pop();
      if (spare?.length !== own.length) {
        this.#spare.length = 0;
        return own.slice();
      }
      spare.set(own);
      return spare;
    });
  }

  /** Has every worker change its sums; {@link PooledSums.#catchUp} reports the outcome. */
  #change(send: (share: Share) => Promise<PlanInForce>): void {
    // A failed copy for one worker counts as a failure too: the others have theirs.
    const changed = Promise.all(this.#shares.map(async (share) => send(share)));
    changed.catch((error: unknown) => {
      this.#failure ??= error as Error;
    });
    this.#behind.push(changed);
  }

  async #catchUp(behind: number): Promise<void> {
    while (this.#behind.length > behind) {
      // All workers have the same plan: pairs fill up alike.
      const answers = await this.#behind.shift();
      this.#inForce = answers?.[0] ?? this.#inForce;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Collects what workers hold of their pairs, in the order of the pairs. */
  async #gather<T>(ask: (share: Share) => Promise<readonly T[]>): Promise<T[]> {
    const all = new Array<T>(this.#shape.pairs);
    const answers = await allSettledOrThrow(this.#shares.map(ask));
    this.#shares.forEach(({ pairs }, s) => {
      pairs.forEach((p, at) => (all[p] = answers[s]![at]!));
    });
    return all;
  }
}

/** Distributes pairs over the fewest workers that finish as early as `threads` workers would. */
export function dealPairs(pairs: number, threads: number): number[][] {
  const rounds = Math.ceil(pairs / threads);
  const workers = Math.ceil(pairs / rounds);
  return Array.from({ length: workers }, (_, w) =>
    Array.from({ length: Math.ceil((pairs - w) / workers) }, (_, r) => w + r * workers),
  );
}

/** The array, or a copy if its buffer is larger, since the whole buffer would be transferred. */
function withOwnBuffer(values: Float32Array): Float32Array {
  return values.byteLength === values.buffer.byteLength ? values : values.slice();
}

/** The shape of a worker that keeps this number of the pairs. */
function shareOf(shape: SumsShape, pairs: number): SumsShape {
  return { ...shape, pairs, memory: (shape.memory * pairs) / shape.pairs };
}
