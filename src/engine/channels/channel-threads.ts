import type { Precision } from '../engine.ts';
import { allSettledOrThrow } from '../../all-settled-or-throw.ts';
import { availableThreads } from '../../available-threads.ts';
import { MagnitudeEdgeError } from '../../errors.ts';
import { lossBehind, type GpuContext } from '../../gpu/device.ts';
import { canShare, isShared, ownArrays, SharedArrays, type ArrayPool } from '../../scoring/array-pool.ts';
import { ridgeOf, type PartNorms } from '../../scoring/channel/regression.ts';
import { factorLength } from '../../scoring/channel/ridge-factor.ts';
import type { RowOrder } from '../../scoring/channel/rows.ts';
import type { ChannelSystem } from '../../scoring/channel/system.ts';
import {
  cheaperForm,
  costOf,
  partsOf,
  triangleColumns,
  type Part,
} from '../../scoring/channel/ridge-form.ts';
import type { PairRegression } from '../../scoring/regression/regress-pair.ts';
import type { ChannelRows } from '../../statistics/channel-record.ts';
import type { PairChannelSums } from '../../statistics/channel-sums.ts';
import { mixedBlocks, type MixedBlocks } from '../../statistics/mixed-blocks.ts';
import { createYielder, runYielding } from '../../statistics/yielder.ts';
import { regressOnDevice, whyUnsuitable } from '../webgpu/scoring/channel-regression.ts';
import { WorkerClient } from '../worker-client.ts';
import {
  doStep,
  type ChannelCalls,
  type ChannelStep,
  type ChannelSteps,
  type MagnitudeRegression,
} from './channel-steps.ts';
import script from './channel-worker.ts?script';
import { WorkerQueue } from './worker-queue.ts';

/** Operations that one thread does in the time that workers take to start. */
const SMALL = 1e9;
/** Operations from which it pays to start workers for this job alone. */
const WORTH_WORKERS = 1e10;

/** Receives the results of a part of a regression, one per order. @param system its index */
export type OnPart = (system: number, part: Part, norms: readonly PartNorms[]) => void;

/** A thread that runs steps. The caller gives up argument arrays that are not shared. */
type StepThread = <Name extends ChannelStep>(
  name: Name,
  argument: ChannelSteps[Name]['argument'],
) => Promise<ChannelSteps[Name]['result']>;

/**
 * Runs regressions on all threads of the machine: in workers, which start when there is enough work and end with
 * {@link ChannelThreads.release}, or on the calling thread if workers are not available.
 */
export class ChannelThreads {
  readonly #maxWorkers: number;
  readonly #getGpu: () => GpuContext | undefined;
  readonly #precision: Precision;
  readonly #arrays: ArrayPool = canShare() ? new SharedArrays() : ownArrays;
  #workers: readonly WorkerClient<ChannelCalls>[] | undefined;
  #local: MixedBlocks | undefined;
  #note = '';
  /** What ran on the GPU, or why nothing did */
  #gpuNote = '';
  #backend: 'webgpu' | 'cpu' = 'cpu';

  /**
   * @param maxWorkers maximum number of workers; 0 for the calling thread
   * @param getGpu returns the GPU device to run regressions on, if there is one now
   * @param precision of regressions on the GPU
   */
  constructor(
    maxWorkers = availableThreads(),
    getGpu: () => GpuContext | undefined = () => undefined,
    precision: Precision = 'exact',
  ) {
    this.#maxWorkers = maxWorkers;
    this.#getGpu = getGpu;
    this.#precision = precision;
  }

  /** What the regressions ran on, in words */
  get note(): string {
    const notes = this.#backend === 'webgpu' ? [this.#gpuNote] : [this.#gpuNote, this.#note];
    return notes.filter((note) => note !== '').join('; ');
  }

  /** Backend of the last regressions */
  get backend(): 'webgpu' | 'cpu' {
    return this.#backend;
  }

  /** Whether there is a GPU for regressions that suit it */
  get gpu(): boolean {
    return this.#getGpu() !== undefined;
  }

  /** Starts workers if there is enough work for them; an estimate of it suffices. */
  async open(operations: number): Promise<void> {
    if (operations < SMALL || this.#maxWorkers === 0 || this.#workers !== undefined) return;
    const workers: WorkerClient<ChannelCalls>[] = [];
    try {
      for (let w = 0; w < this.#maxWorkers; w++)
        workers.push(new WorkerClient<ChannelCalls>(script, 'channel-worker'));
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
   * Runs regressions. Each thread does an equal number of whole ones, and all threads share the rest; a thread that
   * would have to wait starts on the next one.
   *
   * @throws `out-of-memory`, `runtime`; the signal's reason once it is aborted, when all work has stopped
   */
  async run(
    systems: readonly ChannelSystem[],
    orders: readonly RowOrder[],
    onPart: OnPart,
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    if (await this.#runOnGpu(systems, orders, onPart, signal)) return;
    const operations = systems.reduce(
      (sum, system) => sum + costOf(system, cheaperForm(system), orders.length),
      0,
    );
    await this.open(operations);
    const workers = operations < SMALL ? undefined : this.#workers;
    await this.#withThreads(workers, signal, async (threads) => {
      const queue = new WorkerQueue(threads);
      const whole = systems.length - (systems.length % threads.length);
      await allSettledOrThrow(
        systems.map((system, s) => {
          const step: StepThread = (name, argument) => queue.run(s, (thread) => thread(name, argument));
          const shares = s < whole ? 1 : threads.length;
          return this.#regress(system, orders, shares, step, (part, norms) => {
            onPart(s, part, norms);
          });
        }),
      );
    });
  }

  /** Runs work with threads, which an abort ends. */
  async #withThreads<T>(
    workers: readonly WorkerClient<ChannelCalls>[] | undefined,
    signal: AbortSignal | undefined,
    work: (threads: readonly StepThread[]) => Promise<T>,
  ): Promise<T> {
    const stop = (): void => {
      // A busy worker receives no messages, so it is ended; new ones start when there is work again.
      if (workers !== undefined) this.release();
    };
    signal?.addEventListener('abort', stop);
    try {
      return await work(this.#threads(workers, signal));
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  async #regress(
    system: ChannelSystem,
    orders: readonly RowOrder[],
    shares: number,
    step: StepThread,
    onPart: (part: Part, norms: readonly PartNorms[]) => void,
  ): Promise<void> {
    const form = cheaperForm(system);
    const ridge = ridgeOf(system, form);
    const pieces = await allSettledOrThrow(
      triangleColumns(ridge.size, shares).map((columns) => step('gram', { system, form, columns })),
    );
    const out = this.#arrays.alloc(Float32Array, factorLength(ridge.size));
    const factor = await step('factor', { pieces, ridge, out });
    await allSettledOrThrow(
      partsOf(system, form, shares).map(async (part) => {
        onPart(part, await step('norms', { system, part, factor, orders }));
      }),
    );
    this.#arrays.free([factor]);
  }

  /**
   * Adds samples to sums, in place; in workers if sums and samples are in shared memory.
   *
   * @param channels position of each channel of the sums within a row
   * @throws `out-of-memory`, `runtime`
   */
  async absorb(
    sums: readonly PairChannelSums[],
    { samples, channels: width, pairs }: ChannelRows,
    channels: Uint32Array,
  ): Promise<void> {
    await this.open(1.5 * samples * channels.length ** 2 * pairs.length);
    const shared = sums.every(({ sumXX }) => isShared(sumXX));
    const queue = new WorkerQueue(this.#threads(shared ? this.#workers : undefined));
    await allSettledOrThrow(
      pairs.map((rows, p) =>
        queue.run(p, (thread) => thread('absorb', { sums: sums[p]!, rows, channels, width })),
      ),
    );
  }

  /**
   * Runs regressions of magnitudes, one per layer pair.
   *
   * @throws `out-of-memory`, `runtime`; the signal's reason once it is aborted
   */
  async magnitudes(
    regressions: readonly MagnitudeRegression[],
    signal?: AbortSignal,
  ): Promise<PairRegression[]> {
    const nodes = regressions[0]?.pair.sumX.length ?? 0;
    // An inverse and its product with all targets, in float64.
    const operations = regressions.length * 6 * nodes ** 3;
    if (regressions.length > 1 && operations > WORTH_WORKERS) await this.open(operations);
    return this.#withThreads(this.#workers, signal, (threads) => {
      const queue = new WorkerQueue(threads);
      return allSettledOrThrow(
        regressions.map((regression, p) => queue.run(p, (thread) => thread('magnitudes', regression))),
      );
    });
  }

  /** Ends the workers. They start again when needed. */
  release(): void {
    for (const worker of this.#workers ?? []) worker.terminate();
    this.#workers = undefined;
    this.#local = undefined;
  }

  /** Worker threads, or the calling one. */
  #threads(workers: readonly WorkerClient<ChannelCalls>[] | undefined, signal?: AbortSignal): StepThread[] {
    if (workers !== undefined) {
      // The argument of `factor` is made for this call, so the worker may own it.
      return workers.map(
        (worker): StepThread =>
          (name, argument) =>
            worker.call(name, name === 'factor' ? argument : unshared(argument)),
      );
    }
    const memory = (this.#local ??= mixedBlocks());
    this.#note ||= `channel regressions: ${memory.description}, one thread`;
    const yielder = createYielder(signal);
    return [(name, argument) => runYielding(doStep(memory, { name, argument }), yielder)];
  }

  /** Runs everything on a GPU. @returns whether there is one that suits the work and has the memory for it */
  async #runOnGpu(
    systems: readonly ChannelSystem[],
    orders: readonly RowOrder[],
    onPart: OnPart,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const gpu = this.#getGpu();
    const precision = this.#precision;
    this.#backend = 'cpu';
    this.#gpuNote = '';
    if (gpu === undefined) return false;
    const refused = (why: string): false => {
      this.#gpuNote = `channel regressions cannot run on this GPU: ${why}`;
      return false;
    };
    for (const system of systems) {
      const why = whyUnsuitable(gpu, system, cheaperForm(system));
      if (why !== undefined) return refused(why);
    }
    try {
      for (const [s, system] of systems.entries()) {
        const form = cheaperForm(system);
        const norms = await regressOnDevice(gpu, system, orders, { form, precision, signal });
        onPart(s, { form, first: 0, end: system.nodes }, norms);
      }
    } catch (cause) {
      signal?.throwIfAborted();
      const error = lossBehind(gpu, cause);
      if (!(error instanceof MagnitudeEdgeError && error.code === 'out-of-memory')) throw error;
      return refused(error.message);
    }
    this.#backend = 'webgpu';
    this.#gpuNote = `channel regressions: WebGPU, precision '${precision}'`;
    return true;
  }
}

/** A value whose memory may be transferred: a copy, except for shared memory. */
function unshared<T>(value: T): T {
  if (ArrayBuffer.isView(value)) {
    return isShared(value) ? value : ((value as unknown as Float32Array).slice() as unknown as T);
  }
  if (Array.isArray(value)) return value.map(unshared) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, unshared(part)])) as T;
}
