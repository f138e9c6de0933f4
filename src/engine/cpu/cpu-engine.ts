import { availableThreads } from '../../available-threads.ts';
import { MagnitudeEdgeError } from '../../errors.ts';
import { SerialQueue } from '../../serial-queue.ts';
import { checkOneOf } from '../../check-one-of.ts';
import { checkScoreRequest } from '../../scoring/score-request.ts';
import type { ScoreMatrices, ScoreRequest } from '../../scoring/score-matrices.ts';
import type { Scores } from '../scores/scores.ts';
import { checkSameShape } from '../../statistics/merge.ts';
import type { SufficientStatistics } from '../../statistics/sufficient-statistics.ts';
import { checkChannelBatch, checkMagnitudeBatch } from '../check-channel-batch.ts';
import { ScoreCache } from './score-cache.ts';
import { PooledSums } from './pooled-sums.ts';
import {
  emptyPlan,
  LocalSums,
  sumsBytesOf,
  type CpuSums,
  type PlanInForce,
  type SumsShape,
} from './cpu-sums.ts';
import type {
  ChannelBatch,
  Engine,
  EngineDiagnostics,
  EngineShape,
  MagnitudeBatch,
  Precision,
} from '../engine.ts';
import { withOutOfMemoryError } from '../with-out-of-memory-error.ts';

/**
 * N^2 P from which workers are started by default. Two of them take 150 to 250 ms to start on a busy machine
 * (measured). In that time one thread adds some 500 samples to this many sums: a job of 2,000 samples is shorter with
 * workers.
 */
const WORKERS_FROM = 2 ** 20;

export interface CpuEngineOptions {
  /**
   * Workers that keep the sums: 0 for the calling thread. Whole layer pairs are distributed, so at most `shape.pairs`
   * workers are started. Default: one per thread of the machine, none if there are few sums.
   */
  readonly workers?: number | undefined;
  /**
   * Bytes that the sums of N x N products may take: 16 N^2 P, or 32 N^2 P with 'fast'. If they would take more, no sums
   * are held: magnitudes are kept instead, up to this many bytes (8 N P per sample), and every request forms its
   * products anew, panel by panel. Default 2 GiB.
   */
  readonly memory?: number | undefined;
  /**
   * For plain correlations: 'exact' (default) forms X^T Y in float64; 'fast' in float32 over chunks of 64 samples,
   * whose sums are added in float64, as long as the samples are kept. Partial correlations and statistics are always in
   * float64.
   */
  readonly precision?: Precision | undefined;
}

const DEFAULT_MEMORY = 2 ** 31;

/** Pairs of nodes are numbered in 32 bits, which limits how many nodes can be scored. */
const MOST_NODES = 2 ** 16 - 1;

/**
 * An engine on the host, in float64 unless `precision` says otherwise: the twin that the WebGPU engine is tested
 * against, and the backend if no adapter is worth using. The first batch starts the workers, `release` ends them. If
 * workers are not available (the platform has none, or a content security policy without `worker-src blob:` forbids
 * them), the calling thread does the work, and the diagnostics say so.
 *
 * @throws `invalid-argument` for an invalid number of workers or bytes or an unknown precision, `out-of-memory` for more
 * nodes than can be scored
 */
export function createCpuEngine(shape: EngineShape, options: CpuEngineOptions = {}): Engine {
  const { workers } = options;
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 0)) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `workers must be a whole number of at least 0 and is ${workers}.`,
      { details: { option: 'workers', found: workers } },
    );
  }
  const { memory = DEFAULT_MEMORY, precision = 'exact' } = options;
  checkOneOf('precision', precision, ['exact', 'fast']);
  if (!(memory >= 0)) {
    throw new MagnitudeEdgeError('invalid-argument', `memory must be a number of bytes and is ${memory}.`, {
      details: { option: 'memory', found: memory },
    });
  }
  if (shape.nodes > MOST_NODES) {
    const bytes = 4 * shape.nodes ** 2 * (shape.pairs + 1);
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `Scores of ${shape.nodes} function nodes and ${shape.pairs} layer pairs take at least ${bytes} bytes; at most ${MOST_NODES} nodes can be scored.`,
      { details: { nodes: shape.nodes, pairs: shape.pairs, bytes } },
    );
  }
  const few = shape.pairs * shape.nodes ** 2 < WORKERS_FROM;
  return new CpuEngine({ ...shape, memory, precision }, workers ?? (few ? 0 : availableThreads()));
}

class CpuEngine implements Engine {
  readonly shape: SumsShape;
  readonly #cache: ScoreCache;
  #workers: number;
  #sums: CpuSums | undefined;
  /** Why there are no workers although some were requested */
  #fallback: string | undefined;
  #released = false;
  #batches = 0;
  #refusal: MagnitudeEdgeError | undefined;
  /** Runs calls one after the other, even if they overlap: scores must not see half a batch. */
  readonly #queue = new SerialQueue();

  constructor(shape: SumsShape, workers: number) {
    this.shape = shape;
    this.#workers = workers;
    this.#cache = new ScoreCache(shape, (work) =>
      this.#queue.run(() => {
        this.#assertNotReleased();
        return withOutOfMemoryError(shape, work);
      }),
    );
    if (workers === 0) this.#sums = new LocalSums(shape);
  }

  get diagnostics(): EngineDiagnostics {
    const arithmetic = this.shape.precision === 'fast' ? 'float32 and float64' : 'float64';
    const note = this.#sums?.note ?? `${arithmetic}, at most ${this.#workers} workers, not started yet`;
    const inForce = this.#sums?.inForce ?? emptyPlan(this.shape);
    return {
      backend: 'cpu',
      plan: inForce.plan,
      ...(inForce.tiled ? { tiled: true } : {}),
      workers: this.#sums?.workers ?? 0,
      notes: [note, describePlan(this.shape, inForce)],
      warnings: this.#fallback === undefined ? [] : [this.#fallback],
    };
  }

  prepare(): void {
    // The next batch fails for the same reason and reports it.
    this.#queue.run(() => this.#sums ?? this.#open()).catch(ignore);
  }

  accumulate(batch: ChannelBatch): Promise<void> {
    return this.#queue.run(async () => {
      this.#ready();
      const { activations, gradients } = this.#orRefuse(() =>
        checkChannelBatch(this.shape, batch, this.#batches),
      );
      const sums = this.#sums ?? (await this.#open());
      this.#checkMemory(sums, batch.size);
      this.#forgetScores();
      const { size, transferable } = batch;
      await sums.addChannels({ size, activations, gradients, transferable });
      this.#batches++;
    });
  }

  accumulateMagnitudes(batch: MagnitudeBatch): Promise<void> {
    return this.#queue.run(async () => {
      this.#ready();
      this.#orRefuse(() => {
        checkMagnitudeBatch(this.shape, batch, this.#batches);
      });
      const sums = this.#sums ?? (await this.#open());
      this.#checkMemory(sums, batch.size);
      this.#forgetScores();
      await sums.addMagnitudes(batch);
      this.#batches++;
    });
  }

  flush(): Promise<number> {
    return this.#queue.run(async () => {
      this.#ready();
      await this.#sums?.drain();
      return this.#sums?.samples ?? 0;
    });
  }

  scores(request: ScoreRequest): Promise<Scores> {
    return this.#queue.run(() => {
      this.#assertNothingLost();
      checkScoreRequest(request, this.shape.nodes, this.#sums?.samples ?? 0);
      return withOutOfMemoryError<Scores>(this.shape, () => this.#cache.scores(request, this.#sums!));
    });
  }

  score(request: ScoreRequest): Promise<ScoreMatrices> {
    return this.#queue.run(() => {
      this.#assertNothingLost();
      checkScoreRequest(request, this.shape.nodes, this.#sums?.samples ?? 0);
      return withOutOfMemoryError(this.shape, () => this.#cache.matrices(request, this.#sums!));
    });
  }

  statistics(): Promise<SufficientStatistics> {
    return this.#queue.run(async () => {
      this.#assertNothingLost();
      return (this.#sums ?? (await this.#open())).statistics();
    });
  }

  merge(statistics: SufficientStatistics): Promise<void> {
    return this.#queue.run(async () => {
      this.#ready();
      checkSameShape({ nodes: this.shape.nodes, pairs: { length: this.shape.pairs } }, statistics);
      if (statistics.samples === 0) return;
      this.#forgetScores();
      await (this.#sums ?? (await this.#open())).merge(statistics);
    });
  }

  reset(): void {
    this.#assertNotReleased();
    // Queued: earlier requests still see the samples they were made for.
    this.#queue
      .run(() => {
        if (this.#released) return;
        this.#forgetScores();
        const lost = this.#sums?.lost;
        if (lost !== undefined) {
          // The next batch replaces workers that died. The others still held samples of earlier handles.
          this.#sums?.release(
            samplesLost('These scores cannot be computed again: their samples are lost.', lost),
          );
          this.#sums = this.#workers === 0 ? new LocalSums(this.shape) : undefined;
        } else {
          this.#sums?.reset();
        }
        this.#batches = 0;
        this.#refusal = undefined;
      })
      .catch(ignore);
  }

  release(): Promise<void> {
    this.#released = true;
    this.#forgetScores();
    this.#sums?.release();
    this.#sums = undefined;
    return Promise.resolve();
  }

  /** Forgets the last scores: the samples have changed. */
  #forgetScores(): void {
    this.#cache.clear();
  }

  /** Starts the workers, or falls back to this thread if that fails. */
  async #open(): Promise<CpuSums> {
    try {
      this.#sums = await PooledSums.open(this.shape, this.#workers);
      this.#fallback = undefined;
    } catch (error) {
      if (error instanceof MagnitudeEdgeError && error.code === 'out-of-memory') throw error;
      const why = error instanceof Error ? error.message : String(error);
      this.#fallback = `Workers cannot be used here, so one thread does the work of ${this.#workers}: ${why}`;
      this.#sums = new LocalSums(this.shape);
    }
    // Released while the workers were starting: nothing else would end them.
    if (this.#released) await this.release();
    this.#assertNotReleased();
    return this.#sums;
  }

  /** @throws `out-of-memory` if only magnitudes are kept and this batch exceeds the memory for them */
  #checkMemory(sums: CpuSums, size: number): void {
    const { nodes, pairs, memory } = this.shape;
    const samples = sums.samples + size;
    const bytes = 8 * nodes * pairs * samples;
    if (!sums.inForce.tiled || bytes <= memory) return;
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `The magnitudes of ${samples} samples, ${nodes} function nodes and ${pairs} layer pairs take ${bytes} bytes, and ` +
        `the sums ${sumsBytesOf(this.shape)}: both exceed the ${memory} bytes allowed. The ` +
        `${sums.samples} samples before this batch are kept.`,
      { details: { nodes, pairs, samples: sums.samples, bytes, memory } },
    );
  }

  #assertNotReleased(): void {
    if (!this.#released) return;
    throw new MagnitudeEdgeError('released', 'The CPU engine has been released and cannot be used any more.');
  }

  /** @throws `released`, or why samples have been lost */
  #assertNothingLost(): void {
    this.#assertNotReleased();
    const lost = this.#sums?.lost;
    if (lost === undefined) return;
    throw samplesLost('The samples are lost; after a reset, new samples can be added.', lost);
  }

  #ready(): void {
    this.#assertNothingLost();
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /** Remembers that a value was not finite: no later batch may be counted. */
  #orRefuse<T>(check: () => T): T {
    try {
      return check();
    } catch (error) {
      if (error instanceof MagnitudeEdgeError && error.code === 'non-finite') this.#refusal = error;
      throw error;
    }
  }
}

/** @param what the consequence, for the message */
function samplesLost(what: string, lost: Error): MagnitudeEdgeError {
  const code = lost instanceof MagnitudeEdgeError ? lost.code : 'out-of-memory';
  return new MagnitudeEdgeError(code, `${what} The reason: ${lost.message}`, { cause: lost });
}

function describePlan(shape: SumsShape, { plan, tiled }: PlanInForce): string {
  if (tiled) {
    const { nodes, pairs } = shape;
    return (
      `magnitudes are kept, and scores are computed panel by panel on every request: the sums of ${nodes} function nodes and ` +
      `${pairs} layer pairs would take ${sumsBytesOf(shape)} bytes`
    );
  }
  const kept = shape.precision === 'fast' ? 'half of the memory for the sums' : 'the sums';
  return plan === 'magnitudes'
    ? `magnitudes are kept, and products are computed on request and while workers are idle: the samples take no more memory than ${kept}`
    : `products are added to the sums batch by batch: the samples would take more memory than ${kept}`;
}

function ignore(): void {
  // The caller handles the error of its call; the next call runs.
}
