import { MagnitudeEdgeError } from '../errors.ts';
import { adoptDevice, describeAdapter, type GpuContext } from '../gpu/device.ts';
import { checkArithmetic } from '../gpu/self-test.ts';
import type { ScoreMatrices, ScoreRequest } from '../scores/score-matrices.ts';
import type { Scores } from '../scores/scores.ts';
import { scoreOnGpu } from '../scores/webgpu-scores.ts';
import { checkSameShape, mergeStatistics } from '../statistics/merge.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import type { Precision } from '../statistics/webgpu-kernels.ts';
import { layoutOf } from '../statistics/webgpu-layout.ts';
import { RefusalRecord } from '../statistics/webgpu-refusal.ts';
import { Stage } from '../statistics/webgpu-stage.ts';
import { GpuSums } from '../statistics/webgpu-sums.ts';
import type { ChannelBatch, Engine, EngineDiagnostics, EngineShape, MagnitudeBatch } from './engine.ts';
import { checkIncomingBatch, type IncomingBatch } from './webgpu-batch.ts';

/** Batches that may be under way before the engine waits for the GPU to have looked at them. */
const BATCHES_AHEAD = 4;

/**
 * An engine on a GPU device that belongs to the caller, who keeps it until after {@link Engine.release}. Values may be
 * buffers of that device (usage STORAGE) or arrays. Magnitudes stay on the GPU.
 *
 * @throws `gpu-validation` (also for a device whose arithmetic fails the self-test), `out-of-memory` (matrices larger
 *   than the device binds), `device-lost`
 */
export async function createWebGpuEngine(options: {
  readonly device: GPUDevice;
  readonly shape: EngineShape;
  /** How products are summed; 'exact' (default) is as good as float64 sums, 'fast' several times quicker. */
  readonly precision?: Precision | undefined;
  /** Most bytes of one storage binding, where that is to be less than the device's own limit */
  readonly bindingBytes?: number | undefined;
}): Promise<Engine> {
  const { shape, precision = 'exact' } = options;
  const context = adoptDevice(options.device);
  await checkArithmetic(context);
  const layout = layoutOf(context, shape.nodes, shape.pairs, options.bindingBytes);
  const refusal = new RefusalRecord(context);
  let stage: Stage | undefined;
  try {
    const { channels, channelGroups, reduction } = shape;
    const source =
      channels === undefined || channelGroups === undefined
        ? undefined
        : { count: channels, groups: channelGroups, reduction };
    stage = await Stage.create(context, layout, refusal, source);
    const sums = await GpuSums.create(context, layout, refusal, precision);
    return new WebGpuEngine(context, shape, precision, { refusal, stage, sums });
  } catch (error) {
    refusal.view.destroy();
    stage?.destroy();
    throw error;
  }
}

/** What the engine holds on the GPU. */
interface Parts {
  readonly refusal: RefusalRecord;
  readonly stage: Stage;
  readonly sums: GpuSums;
}

/** Batches since the last reset. */
interface Run {
  /** Batches taken in */
  batches: number;
  /** Samples known to be counted */
  samples: number;
  /** Batches whose values the GPU has yet to be asked about */
  unconfirmed: { batch: number; size: number }[];
  /** Rows that wait in the stage, and the batch of the first */
  waiting: { rows: number; firstBatch: number };
  /** What the GPU has to say of commands since the last check */
  submits: Promise<void>[];
  /** The check under way; it does not reject */
  check: Promise<void> | undefined;
  /** Why no more batches are taken in */
  refusal: MagnitudeEdgeError | undefined;
  /** What went wrong with the GPU: the sums cannot be trusted any more */
  failure: Error | undefined;
}

function newRun(): Run {
  return {
    batches: 0,
    samples: 0,
    unconfirmed: [],
    waiting: { rows: 0, firstBatch: 0 },
    submits: [],
    check: undefined,
    refusal: undefined,
    failure: undefined,
  };
}

class WebGpuEngine implements Engine {
  readonly shape: EngineShape;
  readonly diagnostics: EngineDiagnostics;
  readonly #context: GpuContext;
  readonly #parts: Parts;
  #run = newRun();
  #released = false;
  #lastCall: Promise<unknown> = Promise.resolve();

  constructor(context: GpuContext, shape: EngineShape, precision: Precision, parts: Parts) {
    this.#context = context;
    this.shape = shape;
    this.#parts = parts;
    const kind = context.software ? ' (software adapter)' : '';
    this.diagnostics = {
      backend: 'webgpu',
      notes: [
        `${describeAdapter(context.adapterInfo)}${kind}`,
        `precision '${precision}'`,
        `sums take in up to ${parts.stage.layout.stageRows} samples at a time`,
      ],
    };
  }

  accumulate(batch: ChannelBatch): Promise<void> {
    return this.#inTurn(() => {
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
    return this.#inTurn(() => this.#take(batch, this.shape.nodes, true));
  }

  flush(): Promise<number> {
    return this.#inTurn(async () => {
      await this.#checked();
      this.#assertOpen();
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
    return this.#inTurn(async () => {
      await this.#applied();
      return scoreOnGpu(this.#context, this.#parts.sums, this.#run.samples, request);
    });
  }

  statistics(): Promise<SufficientStatistics> {
    return this.#inTurn(async () => {
      await this.#applied();
      return this.#parts.sums.read(this.#run.samples);
    });
  }

  merge(statistics: SufficientStatistics): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertOpen();
      checkSameShape({ nodes: this.shape.nodes, pairs: { length: this.shape.pairs } }, statistics);
      await this.#applied();
      this.#assertOpen();
      if (statistics.samples === 0) return;
      const held = await this.#parts.sums.read(this.#run.samples);
      const merged = mergeStatistics(held, statistics);
      this.#parts.sums.load(merged);
      this.#run.samples = merged.samples;
    });
  }

  reset(): void {
    this.#assertHeld();
    // In its turn: scores being computed keep the sums they started from.
    this.#inTurn(() => {
      this.#run = newRun();
      this.#parts.refusal.clear();
      this.#parts.sums.clear();
    }).catch(ignore);
  }

  async release(): Promise<void> {
    this.#released = true;
    await this.#lastCall;
    await this.#checked();
    const { refusal, stage, sums } = this.#parts;
    refusal.view.destroy();
    stage.destroy();
    sums.destroy();
  }

  /** Runs one call after the other, however they are made: scores must not see half a batch. */
  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#lastCall.then(() => {
      this.#assertHeld();
      return work();
    });
    this.#lastCall = done.then(ignore, ignore);
    return done;
  }

  #assertHeld(): void {
    if (!this.#released) return;
    throw new MagnitudeEdgeError(
      'released',
      'The WebGPU engine has been released and cannot be used any more.',
    );
  }

  #assertOpen(): void {
    const { failure, refusal } = this.#run;
    if (failure !== undefined) throw failure;
    if (refusal !== undefined) throw refusal;
  }

  /** Takes a batch in: magnitudes to the stage, from there to the sums when the stage is full. */
  async #take(incoming: IncomingBatch, width: number, asTheyAre: boolean): Promise<void> {
    this.#assertOpen();
    const run = this.#run;
    checkIncomingBatch(this.shape, incoming, width, run.batches);
    const batch = run.batches++;
    run.unconfirmed.push({ batch, size: incoming.size });
    const { stageRows } = this.#parts.stage.layout;
    if (run.waiting.rows + incoming.size > stageRows) this.#watch(this.#apply());
    if (run.waiting.rows === 0) run.waiting.firstBatch = batch;
    // In the order of `quantityOf`.
    const values = incoming.x.flatMap((x, p) => [x, incoming.y[p]!]);
    const step = this.#parts.stage.rowsPerWrite(asTheyAre);
    const write = (from: number, to: number, batchRow: number): number => {
      const rows = Math.min(step, incoming.size - from);
      this.#watch(this.#parts.stage.write({ values, batch, from, rows, to, batchRow }, asTheyAre));
      return rows;
    };
    if (incoming.size <= stageRows) {
      const batchRow = run.waiting.rows;
      for (let from = 0; from < incoming.size; from += step) write(from, batchRow + from, batchRow);
      run.waiting.rows += incoming.size;
    } else {
      // Larger than the stage: looked through for values that are not finite before any of it is added.
      for (let from = 0; from < incoming.size; from += step) write(from, 0, 0);
      for (let from = 0; from < incoming.size; from += step) {
        run.waiting = { rows: write(from, 0, 0), firstBatch: batch };
        this.#watch(this.#apply());
      }
    }
    // A batch costs a look of its own only where the GPU answers faster than batches come.
    run.check ??= this.#check(run);
    if (run.unconfirmed.length > BATCHES_AHEAD) await this.#checked();
    this.#assertOpen();
  }

  /** Adds the rows that wait in the stage to the sums. */
  #apply(): Promise<void> {
    const { waiting } = this.#run;
    if (waiting.rows === 0) return Promise.resolve();
    const { stage, sums } = this.#parts;
    const applied = sums.apply({ stage: stage.view, ...waiting });
    this.#run.waiting = { rows: 0, firstBatch: this.#run.batches };
    return applied;
  }

  /** Keeps what a submit may yet be found wrong with for the next check. */
  #watch(submit: Promise<void>): void {
    // Rejections are seen to by the check; until then they are nobody's.
    submit.catch(ignore);
    this.#run.submits.push(submit);
  }

  /** Asks the GPU whether the batches taken in so far were finite, and counts those that were. */
  async #check(run: Run): Promise<void> {
    const end = run.batches;
    try {
      const [found] = await Promise.all([
        this.#parts.refusal.read(this.shape.nodes),
        ...run.submits.splice(0),
      ]);
      // The record may tell of a batch taken in since: all before the first refused one were finite.
      const counted = found?.batch ?? end;
      while (run.unconfirmed.length > 0 && run.unconfirmed[0]!.batch < counted) {
        run.samples += run.unconfirmed.shift()!.size;
      }
      run.refusal ??= found?.error;
    } catch (error) {
      run.failure ??= asError(error);
    }
    run.check = undefined;
  }

  /** Waits until every batch taken in has been looked at. */
  async #checked(): Promise<void> {
    const run = this.#run;
    while (run.unconfirmed.length > 0 && run.refusal === undefined && run.failure === undefined) {
      await (run.check ??= this.#check(run));
    }
    await run.check;
  }

  /** Waits likewise, and brings the sums up to date. A refused batch is no error here: the earlier ones stay. */
  async #applied(): Promise<void> {
    await this.#checked();
    if (this.#run.failure === undefined) {
      try {
        await this.#apply();
      } catch (error) {
        this.#run.failure = asError(error);
      }
    }
    if (this.#run.failure !== undefined) throw this.#run.failure;
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new MagnitudeEdgeError('gpu-validation', String(cause), { cause });
}

function ignore(): void {
  // What a call refused is its caller's to handle; the next call goes on.
}
