import { checkOneOf } from '../../check-one-of.ts';
import { MagnitudeEdgeError } from '../../errors.ts';
import { adoptDevice, describeAdapter, lossBehind, type GpuContext } from '../../gpu/device.ts';
import { scoped } from '../../gpu/error-scope.ts';
import { checkArithmetic } from '../../gpu/self-test.ts';
import { SubmitThrottle } from '../../gpu/submit-throttle.ts';
import { SerialQueue } from '../../serial-queue.ts';
import type { ScoreMatrices, ScoreRequest } from '../../scoring/score-matrices.ts';
import type { Scores } from '../scores/scores.ts';
import { checkSameShape, mergeStatistics } from '../../statistics/merge.ts';
import type { SufficientStatistics } from '../../statistics/sufficient-statistics.ts';
import type { Precision } from './statistics/statistics-kernels.ts';
import { BatchUploader } from './statistics/batch-uploader.ts';
import { GpuRowStore, type Chunk, type RowPlace } from './statistics/gpu-row-store.ts';
import { layoutOf } from './statistics/layout.ts';
import { configurations, type TileMemory } from './statistics/configurations.ts';
import { GpuMatmul } from './statistics/gpu-matmul.ts';
import { NonFiniteFlag } from './statistics/non-finite-flag.ts';
import { GpuSums } from './statistics/gpu-sums.ts';
import type { ChannelBatch, Engine, EngineDiagnostics, EngineShape, MagnitudeBatch } from '../engine.ts';
import { BatchTracker } from './batch-tracker.ts';
import { GpuScoreCache } from './gpu-score-cache.ts';
import { checkIncomingBatch, type IncomingBatch } from './check-incoming-batch.ts';
import { PANEL_BYTES, planMemory } from './memory-plan.ts';

/**
 * Creates an engine on a GPU device owned by the caller, who must keep it until after {@link Engine.release}. Values
 * may be buffers of that device (usage STORAGE) or arrays. Magnitudes stay on the GPU.
 *
 * @throws `gpu-validation` (also for a device whose arithmetic fails the self-test), `out-of-memory` (matrices larger
 *   than the device binds), `device-lost`, `invalid-argument`
 */
export async function createWebGpuEngine(options: {
  readonly device: GPUDevice;
  readonly shape: EngineShape;
  /** How products are summed; 'exact' (default) is as good as float64 sums, 'fast' several times quicker. */
  readonly precision?: Precision | undefined;
  /** Most bytes of one storage binding, if less than the device's own limit */
  readonly bindingBytes?: number | undefined;
  /** Memory for magnitudes and sums together; default 4 GiB, on software adapters 1 GiB */
  readonly memoryBytes?: number | undefined;
  /** Where products read their operands from. Default: shared memory on a GPU, storage on a software adapter. */
  readonly products?: TileMemory | undefined;
}): Promise<Engine> {
  const { shape, precision = 'exact' } = options;
  const context = adoptDevice(options.device);
  const tileMemory = options.products ?? (context.software ? 'storage' : 'shared');
  checkOneOf('precision', precision, ['exact', 'fast']);
  checkOneOf('products', tileMemory, Object.keys(configurations));
  await checkArithmetic(context);
  const memory = planMemory(context, shape.nodes, shape.pairs, options.memoryBytes);
  const layout = layoutOf(context, shape.nodes, shape.pairs, {
    bindingBytes: options.bindingBytes,
    panelBytes: memory.matrices === 'formed' ? PANEL_BYTES : undefined,
  });
  const refusal = await NonFiniteFlag.create(context);
  const parts: Partial<Parts> = { refusal };
  try {
    const { channels, channelGroups, reduction } = shape;
    const source =
      channels === undefined || channelGroups === undefined
        ? undefined
        : { count: channels, groups: channelGroups, reduction };
    const uploader = await BatchUploader.create(context, layout, refusal, source);
    Object.assign(parts, { uploader });
    const matmul = await GpuMatmul.create(
      context,
      layout,
      configurations[tileMemory][precision],
      refusal.view,
    );
    Object.assign(parts, { matmul });
    const rows = new GpuRowStore(context, layout);
    const sums = await GpuSums.create(context, {
      rows,
      matmul,
      refusal: refusal.view,
      plan: memory.matrices,
    });
    const kind = context.software ? ' (software adapter)' : '';
    const notes = [
      `${describeAdapter(context.adapterInfo)}${kind}`,
      `precision '${precision}'`,
      `products from ${tileMemory === 'shared' ? 'shared memory' : 'storage'}`,
      memory.explain(layout),
    ];
    const keptChunks = memory.chunks(layout);
    return new WebGpuEngine(context, shape, { refusal, uploader, matmul, rows, sums }, keptChunks, notes);
  } catch (error) {
    destroyParts(parts);
    throw error;
  }
}

/** Owners of the engine's GPU memory. */
interface Parts {
  readonly refusal: NonFiniteFlag;
  readonly uploader: BatchUploader;
  readonly matmul: GpuMatmul;
  readonly rows: GpuRowStore;
  readonly sums: GpuSums;
}

function destroyParts({ refusal, uploader, matmul, rows, sums }: Partial<Parts>): void {
  refusal?.destroy();
  for (const part of [uploader, matmul, rows, sums]) part?.destroy();
}

class WebGpuEngine implements Engine {
  readonly shape: EngineShape;
  readonly #parts: Parts;
  /** Most chunks of rows stored until they are first absorbed into the sums; one from then on */
  readonly #keptChunks: number;
  readonly #notes: readonly string[];
  #joined = false;
  readonly #context: GpuContext;
  readonly #scoreCache: GpuScoreCache;
  #run: BatchTracker;
  #released = false;
  readonly #queue = new SerialQueue();

  constructor(
    context: GpuContext,
    shape: EngineShape,
    parts: Parts,
    keptChunks: number,
    notes: readonly string[],
  ) {
    this.#context = context;
    this.#scoreCache = new GpuScoreCache(context);
    this.shape = shape;
    this.#parts = parts;
    this.#keptChunks = keptChunks;
    this.#notes = notes;
    this.#run = this.#newRun();
  }

  get diagnostics(): EngineDiagnostics {
    const { chunkRows } = this.#parts.rows.layout;
    const since = `sums process up to ${chunkRows} samples at a time`;
    return {
      backend: 'webgpu',
      plan: this.#joined ? 'sums' : 'magnitudes',
      notes: this.#joined ? [...this.#notes, since] : this.#notes,
      warnings: [],
    };
  }

  accumulate(batch: ChannelBatch): Promise<void> {
    return this.#queued(() => {
      const { channels, channelGroups } = this.shape;
      if (channels === undefined || channelGroups === undefined) {
        throw new MagnitudeEdgeError(
          'invalid-argument',
          'Channel values need an engine made with channels and channelGroups; this one takes magnitudes only.',
        );
      }
      const incoming = { size: batch.size, x: batch.activations, y: batch.gradients };
      return this.#take(incoming, channels, false);
    });
  }

  accumulateMagnitudes(batch: MagnitudeBatch): Promise<void> {
    return this.#queued(() => this.#take(batch, this.shape.nodes, true));
  }

  flush(): Promise<number> {
    return this.#queued(async () => {
      await this.#run.confirmed();
      this.#run.assertOpen();
      return this.#run.samples;
    });
  }

  async score(request: ScoreRequest): Promise<ScoreMatrices> {
    const scores = await this.scores(request);
    try {
      return await scores.matrices();
    } finally {
      scores.release();
    }
  }

  scores(request: ScoreRequest): Promise<Scores> {
    return this.#queued(async () => {
      const { signal } = request;
      const throttle = new SubmitThrottle(this.#context, signal);
      await this.#updated(throttle, signal);
      return this.#scoreCache.scores(this.#parts.sums, this.#run.samples, request, throttle);
    });
  }

  statistics(): Promise<SufficientStatistics> {
    return this.#queued(async () => {
      await this.#updated();
      return this.#parts.sums.read(this.#run.samples);
    });
  }

  merge(statistics: SufficientStatistics): Promise<void> {
    return this.#queued(async () => {
      this.#run.assertOpen();
      checkSameShape({ nodes: this.shape.nodes, pairs: { length: this.shape.pairs } }, statistics);
      await this.#updated();
      this.#run.assertOpen();
      if (statistics.samples === 0) return;
      this.#scoreCache.clear();
      const held = await this.#parts.sums.read(this.#run.samples);
      const merged = mergeStatistics(held, statistics);
      this.#dropRows();
      await this.#parts.sums.load(merged);
      this.#run.holds(merged.samples);
    });
  }

  reset(): void {
    this.#assertHeld();
    // Queued, so that scores in progress keep the sums they started from.
    this.#queued(() => {
      this.#run = this.#newRun();
      this.#joined = false;
      this.#scoreCache.clear();
      this.#parts.refusal.clear();
      this.#parts.rows.clear(1);
      this.#parts.sums.clear();
    }).catch(ignore);
  }

  async release(): Promise<void> {
    this.#released = true;
    await this.#queue.idle();
    await this.#run.confirmed();
    this.#scoreCache.clear();
    destroyParts(this.#parts);
  }

  /** Runs calls strictly one after the other: scores must not see half a batch. */
  #queued<T>(work: () => T | Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      this.#assertHeld();
      try {
        return await work();
      } catch (error) {
        throw lossBehind(this.#context, error);
      }
    });
  }

  #assertHeld(): void {
    if (!this.#released) return;
    throw new MagnitudeEdgeError(
      'released',
      'The WebGPU engine has been released and cannot be used any more.',
    );
  }

  #newRun(): BatchTracker {
    return new BatchTracker(this.#parts.refusal, this.shape.nodes);
  }

  /** Adds a batch's magnitudes to the stored rows; if these are full, they are first absorbed into the sums. */
  async #take(incoming: IncomingBatch, width: number, areMagnitudes: boolean): Promise<void> {
    const run = this.#run;
    run.assertOpen();
    this.#scoreCache.clear();
    checkIncomingBatch(this.shape, incoming, width, run.batches);
    const batch = run.begin(incoming.size);
    const { uploader, rows: store } = this.#parts;
    // In the order of `quantityOf`.
    const values = incoming.x.flatMap((x, p) => [x, incoming.y[p]!]);
    const step = uploader.rowsPerWrite(areMagnitudes);
    const write = (from: number, chunk: Chunk, to: number, batchRow: number): void => {
      const rows = Math.min(step, incoming.size - from);
      run.watch(uploader.write({ values, batch, from, rows, chunk, to, batchRow }, areMagnitudes));
    };
    if (incoming.size <= store.layout.chunkRows) {
      await this.#absorbIfFull(incoming.size);
      const { chunk, row } = this.#place(incoming.size, batch);
      for (let from = 0; from < incoming.size; from += step) write(from, chunk, row + from, row);
    } else {
      // Larger than a chunk: a first pass checks all values for finiteness before any of them counts. Its chunks hold
      // no earlier batch, so that a refusal discards all of them.
      await this.#absorbIfFull(store.layout.chunkRows);
      const scratchChunk = this.#startChunk();
      for (let from = 0; from < incoming.size; from += step) write(from, scratchChunk, 0, 0);
      for (let from = 0; from < incoming.size; from += step) {
        await this.#absorbIfFull(step);
        const { chunk, row } = this.#place(Math.min(step, incoming.size - from), batch);
        write(from, chunk, row, 0);
      }
    }
    await run.keepUp();
    run.assertOpen();
  }

  /** Places rows; if the GPU has no memory for a new chunk, the next check reports it. */
  #place(rows: number, batch: number): RowPlace {
    const { result, settled } = scoped(this.#context, 'magnitudes to keep', () =>
      this.#parts.rows.place(rows, batch),
    );
    this.#run.watch(settled);
    return result;
  }

  #startChunk(): Chunk {
    const { result, settled } = scoped(this.#context, 'magnitudes to keep', () =>
      this.#parts.rows.startChunk(),
    );
    this.#run.watch(settled);
    return result;
  }

  /** Ensures that rows can be placed: if another chunk would exceed the limit, the sums absorb all stored rows. */
  async #absorbIfFull(rows: number): Promise<void> {
    const { rows: store, sums } = this.#parts;
    if (!store.needsChunk(rows) || store.chunks < (this.#joined ? 1 : this.#keptChunks)) return;
    await this.#run.orFail(async () => {
      store.close();
      await sums.absorb();
      this.#dropRows();
    });
  }

  /** Drops stored rows that are in the sums; from then on one chunk is enough. */
  #dropRows(): void {
    this.#parts.rows.clear(1);
    this.#parts.sums.rowsDropped();
    this.#joined = true;
  }

  /**
   * Waits until every batch has been checked, and brings the sums up to date. A refused batch is no error here: the
   * earlier ones stay valid.
   */
  async #updated(throttle?: SubmitThrottle, signal?: AbortSignal): Promise<void> {
    await this.#run.confirmed();
    await this.#run.orFail(async () => {
      this.#parts.rows.close();
      await this.#parts.sums.update(throttle);
    }, signal);
  }
}

function ignore(): void {
  // A failed call is handled by its caller; the next call runs.
}
