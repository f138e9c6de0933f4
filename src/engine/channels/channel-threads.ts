import { allSettledOrThrow } from '../../all-settled-or-throw.ts';
import { lossBehind, type GpuContext } from '../../gpu/device.ts';
import { absorbRows } from '../../scoring/channel/absorb.ts';
import { dualOnGpu, largestBinding } from '../webgpu/scoring/channel-dual.ts';
import { regress, type PartNorms } from '../../scoring/channel/regression.ts';
import type { ChannelSystem } from '../../scoring/channel/system.ts';
import { cheaperWay, costOf, dealSystems, type Part } from '../../scoring/channel/ways.ts';
import { isShared } from '../../scoring/array-pool.ts';
import type { ChannelRows } from '../../statistics/channel-record.ts';
import type { PairChannelSums } from '../../statistics/channel-sums.ts';
import { mixedBlocks, type MixedBlocks } from '../../statistics/mixed-blocks.ts';
import { createYielder, runYielding } from '../../statistics/yielder.ts';
import { WorkerClient } from '../worker-client.ts';
import { availableThreads } from '../../available-threads.ts';
import type { ChannelCalls } from './channel-protocol.ts';
import script from './channel-worker.ts?script';

/** Operations that one thread does in the time that workers take to start. */
const SMALL = 1e9;

/** Which row of U belongs to each row of F, per segment; undefined for its own. */
export type RowOrders = readonly (readonly Uint32Array[] | undefined)[];

/** Takes what comes of a part: one result for each of the orders. */
export type TakePart = (part: Part, norms: readonly PartNorms[]) => void;

/**
 * Does regressions on all threads of the machine: in workers, which are started when there is enough to do and end with
 * {@link ChannelThreads.release}; where they cannot be had, on the calling thread.
 */
export class ChannelThreads {
  readonly #most: number;
  readonly #gpuNow: () => GpuContext | undefined;
  #workers: readonly WorkerClient<ChannelCalls>[] | undefined;
  #local: MixedBlocks | undefined;
  #note = '';
  #backend: 'webgpu' | 'cpu' = 'cpu';

  /**
   * @param most workers at most; 0 for the calling thread
   * @param gpuNow gives the GPU device that regressions are to run on, where there is one now
   */
  constructor(most = availableThreads(), gpuNow: () => GpuContext | undefined = () => undefined) {
    this.#most = most;
    this.#gpuNow = gpuNow;
  }

  /** What the regressions ran on, in words */
  get note(): string {
    return this.#note;
  }

  /** What did the last regressions */
  get backend(): 'webgpu' | 'cpu' {
    return this.#backend;
  }

  /** Starts workers for so much work; how much there is need not be known exactly. */
  async open(operations: number): Promise<void> {
    if (operations < SMALL || this.#most === 0 || this.#workers !== undefined) return;
    const workers: WorkerClient<ChannelCalls>[] = [];
    try {
      for (let w = 0; w < this.#most; w++) workers.push(new WorkerClient<ChannelCalls>(script));
      const [description] = await Promise.all(workers.map((worker) => worker.call('open', undefined)));
      const count = workers.length === 1 ? 'one worker' : `${workers.length} workers`;
      this.#note = `channel regressions: ${description!}, ${count}`;
      this.#workers = workers;
    } catch (error) {
      for (const worker of workers) worker.terminate();
      const why = error instanceof Error ? error.message : String(error);
      this.#note = `channel regressions on one thread: workers cannot be used here (${why})`;
    }
  }

  /**
   * Does all parts of some regressions.
   *
   * @throws `out-of-memory`, `runtime`; the signal's reason once it is aborted, after which nothing is at work any more
   */
  async run(
    systems: readonly ChannelSystem[],
    orders: RowOrders,
    take: TakePart,
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    const gpu = this.#gpuNow();
    const onGpu = gpu !== undefined && systems.every((system) => suits(gpu, system));
    this.#backend = onGpu ? 'webgpu' : 'cpu';
    if (onGpu) {
      await this.#runOnGpu(gpu, systems, orders, take, signal);
      return;
    }
    const operations = systems.reduce((sum, system) => {
      const { fixed, divided } = costOf(system, cheaperWay(system));
      return sum + fixed + divided * orders.length;
    }, 0);
    await this.open(operations);
    const workers = operations < SMALL ? undefined : this.#workers;
    if (workers === undefined) {
      await this.#runHere(systems, orders, take, signal);
      return;
    }
    const stop = (): void => {
      // A worker at work hears nothing: others are started when there is something to do again.
      this.release();
    };
    signal?.addEventListener('abort', stop);
    try {
      const shares = dealSystems(systems, workers.length);
      await allSettledOrThrow(
        shares.map(async (parts, w) => {
          for (const part of parts) {
            const { system, ...rest } = part;
            const own = copied(systems[system]!);
            const argument = structuredClone({ part: rest, orders });
            take(part, await workers[w]!.call('regress', { system: own, ...argument }));
          }
        }),
      );
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /**
   * Adds samples to sums, in place. In workers where sums and samples are in shared memory.
   *
   * @param channels where each channel of the sums stands in a row
   * @throws `out-of-memory`, `runtime`
   */
  async absorb(
    sums: readonly PairChannelSums[],
    { samples, channels: width, pairs }: ChannelRows,
    channels: Uint32Array,
  ): Promise<void> {
    await this.open(1.5 * samples * channels.length ** 2 * pairs.length);
    const shared = sums.every(({ sumXX }) => isShared(sumXX));
    const workers = shared ? this.#workers : undefined;
    if (workers === undefined) {
      const memory = (this.#local ??= mixedBlocks());
      const yielder = createYielder();
      for (const [p, rows] of pairs.entries())
        await runYielding(absorbRows(memory, sums[p]!, rows, channels, width), yielder);
      return;
    }
    await allSettledOrThrow(
      workers.map(async (worker, w) => {
        for (let p = w; p < pairs.length; p += workers.length) {
          const rows = { x: sharedRows(pairs[p]!.x), u: sharedRows(pairs[p]!.u) };
          const argument = { sums: sums[p]!, rows, channels: channels.slice(), width };
          await worker.call('absorb', argument);
        }
      }),
    );
  }

  /** Ends the workers. They are started again when they are needed. */
  release(): void {
    for (const worker of this.#workers ?? []) worker.terminate();
    this.#workers = undefined;
    this.#local = undefined;
  }

  async #runOnGpu(
    gpu: GpuContext,
    systems: readonly ChannelSystem[],
    orders: RowOrders,
    take: TakePart,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const memory = (this.#local ??= mixedBlocks());
    this.#note = 'channel regressions: WebGPU, their systems inverted in float64 on the CPU';
    const yielder = createYielder(signal);
    try {
      for (const [s, system] of systems.entries()) {
        const part = { system: s, way: 'dual', first: 0, end: system.nodes } as const;
        take(part, await dualOnGpu(gpu, memory, system, orders, yielder));
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw lossBehind(gpu, error);
    }
  }

  async #runHere(
    systems: readonly ChannelSystem[],
    orders: RowOrders,
    take: TakePart,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const memory = (this.#local ??= mixedBlocks());
    this.#note ||= `channel regressions: ${memory.description}, one thread`;
    const yielder = createYielder(signal);
    for (const part of dealSystems(systems, 1).flat()) {
      take(part, await runYielding(regress(memory, systems[part.system]!, part, orders), yielder));
      await yielder();
    }
  }
}

/** Whether a regression is one for a GPU: of observations, and small enough for its bindings. */
function suits({ device: { limits } }: GpuContext, system: ChannelSystem): boolean {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return cheaperWay(system) === 'dual' && largestBinding(system) <= most;
}

/** A system whose memory may be handed over: a copy, but for rows in shared memory. */
function copied({ segments, ...system }: ChannelSystem): ChannelSystem {
  return {
    ...structuredClone(system),
    segments: segments.map(({ x, u, sums, ...scaling }) => ({
      ...structuredClone(scaling),
      x: sharedRows(x),
      u: sharedRows(u),
      sums:
        sums &&
        (Object.fromEntries(
          Object.entries(sums).map(([name, values]) => [name, sharedOrCopied(values as Float64Array)]),
        ) as unknown as PairChannelSums),
    })),
  };
}

const sharedRows = (blocks: readonly Float32Array[]): Float32Array[] => blocks.map(sharedOrCopied);

function sharedOrCopied<T extends Float32Array | Float64Array>(values: T): T {
  return isShared(values) ? values : (values.slice() as T);
}
