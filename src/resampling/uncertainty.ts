import { MagnitudeEdgeError } from '../errors.ts';
import type { ResampledScores, ResamplePlan } from './resampled-scores.ts';
import type { MagnitudeRequest } from '../scoring/magnitude-request.ts';
import type { Scores } from '../engine/scores/scores.ts';
import { withAggregate } from '../engine/scores/with-reader.ts';
import { stateArrays, type FitState } from '../statistics/fit-state.ts';
import { createYielder } from '../statistics/yielder.ts';
import { MagnitudesOfBatch } from '../engine/magnitudes-of-batch.ts';
import { createEngine, type EngineChoice } from '../engine/create.ts';
import type { ChannelBatch, Engine, MagnitudeBatch, Precision } from '../engine/engine.ts';
import { SampleStore } from './sample-store.ts';
import { resampleGroups, resampleScores } from './resample.ts';
import { addRows, BlockStatistics, type BlockFacts } from './block-statistics.ts';
import { rowsToKeep, type UncertaintySettings } from './uncertainty-settings.ts';

/** Facts of {@link Uncertainty.state}, besides its arrays. */
export interface UncertaintyFacts {
  /** Samples kept as rows */
  readonly rows: number;
  readonly merged: number;
  readonly runs?: BlockFacts | undefined;
}

/** Samples that scores were computed from. */
export interface ResamplingSnapshot {
  /**
   * Resamples scores; see {@link resampleScores}. Opens an engine for it, and releases it.
   *
   * @param scores the scores of these samples, owned by the caller
   * @throws `too-few-samples`; the signal's reason once it is aborted
   */
  resample(
    scores: Scores,
    request: MagnitudeRequest,
    onResample?: (done: number, total: number) => void,
  ): Promise<ResampledScores>;
}

/**
 * Keeps the magnitudes of the samples that an engine sees, on the host, and rescores them to estimate the uncertainty
 * of the scores. Without shuffles, many samples become sums of consecutive runs: no fit is too long for standard
 * errors. Works alongside an engine, through its interface alone, and does not change its results.
 *
 * For each batch: {@link Uncertainty.read}, then the engine, then {@link Uncertainty.keep}, so that nothing is kept of
 * a batch that the engine rejects.
 */
export class Uncertainty {
  readonly settings: UncertaintySettings;
  readonly #plan: ResamplePlan;
  readonly #openEngine: () => Promise<EngineChoice>;
  #engine: Engine;
  /** Samples as rows, and how many are kept before they become sums */
  readonly #record: SampleStore;
  readonly #rows: number;
  /** Earlier samples, as sums; undefined if there are none */
  #runs: BlockStatistics | undefined;
  /** Samples in the engine that came from files */
  #merged = 0;
  readonly #magnitudes: MagnitudesOfBatch;

  /**
   * @param engine the engine whose scores are resampled; created with channels
   * @param getDevice returns the device of values in GPU buffers, and of further engines on WebGPU
   * @param precision of further engines
   */
  constructor(
    settings: UncertaintySettings,
    engine: Engine,
    getDevice: () => GPUDevice | undefined = () => undefined,
    precision?: Precision,
  ) {
    const { nodes, pairs, reduction } = engine.shape;
    this.settings = settings;
    this.#plan = settings.plan;
    this.#engine = engine;
    this.#openEngine = () =>
      createEngine(
        this.#engine.diagnostics.backend,
        { nodes, pairs, reduction },
        { device: getDevice(), precision },
      );
    this.#magnitudes = new MagnitudesOfBatch(engine.shape, getDevice);
    this.#record = new SampleStore(engine.shape, settings.maxBytes);
    this.#rows = rowsToKeep(settings, engine.shape);
  }

  /**
   * The magnitudes of a batch, on the host, with memory for them reserved in the record. From a GPU that costs one
   * readback of 8 P N bytes per sample.
   *
   * @throws `out-of-memory` if the record would exceed its limit; `device-lost`, `gpu-validation`; the engine's
   *   rejection of earlier batches
   */
  async read(batch: ChannelBatch): Promise<MagnitudeBatch> {
    const { size } = batch;
    const keptSamples = this.#record.samples;
    // A batch larger than all before it must not cut them into runs that are too short.
    if (keptSamples + size > this.#rows && 2 * keptSamples >= this.#rows) await this.#formRuns();
    this.#record.reserve(size);
    return this.#magnitudes.read(batch);
  }

  /** How often, and how, scores are recomputed */
  get plan(): ResamplePlan {
    return this.#plan;
  }

  /** Keeps the result of {@link Uncertainty.read} for the batch that the engine has accumulated since. */
  keep(batch: MagnitudeBatch): void {
    this.#record.add(batch);
  }

  /** Notes that the engine now also holds samples of a statistics file. */
  noteMerged(samples: number): void {
    this.#merged += samples;
  }

  /** Notes that the engine holds `samples` samples in all: it has rejected a batch that it had already accepted. */
  truncate(samples: number): void {
    this.#record.truncate(samples - this.#merged - (this.#runs?.samples ?? 0));
  }

  /** Switches to another engine, without samples, after the device of the first was lost. */
  moveTo(engine: Engine): void {
    this.#engine = engine;
    this.clear();
    void this.#magnitudes.release();
  }

  /** Drops all samples. Scores in progress are not affected. */
  clear(): void {
    this.#record.clear();
    this.#runs = undefined;
    this.#merged = 0;
  }

  /** The current state, to resume from; arrays of runs are not copies. */
  get state(): FitState<UncertaintyFacts> {
    const rows = Uint32Array.from({ length: this.#record.samples }, (_, row) => row);
    const { x, y } = this.#record.gathered({ x: rows, y: rows });
    const runs = this.#runs?.state;
    return {
      facts: { rows: rows.length, merged: this.#merged, ...(runs ? { runs: runs.facts } : {}) },
      arrays: new Map([['rows_x', x], ['rows_y', y], ...(runs?.arrays ?? [])]),
    };
  }

  /** Restores an {@link Uncertainty.state}. Nothing may be kept yet. @throws RangeError, `out-of-memory` */
  restore({ facts, arrays }: FitState<UncertaintyFacts>): void {
    const [x, y] = [stateArrays(arrays, 'rows_x', Float32Array), stateArrays(arrays, 'rows_y', Float32Array)];
    this.#record.reserve(facts.rows);
    this.#record.add({ size: facts.rows, x, y });
    this.#merged = facts.merged;
    this.#runs = facts.runs && BlockStatistics.from(this.#plan.groups, { facts: facts.runs, arrays });
  }

  /**
   * A snapshot of the current samples: their scores can be resampled at any later time.
   *
   * @throws `invalid-argument` if the engine holds samples of a file
   */
  snapshot(): ResamplingSnapshot {
    const merged = this.#merged;
    if (merged > 0) {
      const samples = this.#record.samples + (this.#runs?.samples ?? 0) + merged;
      throw new MagnitudeEdgeError(
        'invalid-argument',
        `Uncertainty needs the samples themselves, but ${merged} of the ${samples} that the statistics hold came from ` +
          'a statistics file, which has only their sums: evaluate with uncertainty: false, or fit all samples here.',
        { details: { option: 'uncertainty', samples, merged } },
      );
    }
    const record = this.#record.view();
    const runs = this.#runs?.copy();
    return {
      resample: (scores, request, onResample) => this.#resample(record, runs, scores, request, onResample),
    };
  }

  /** Frees all memory, once all computations have ended. Idempotent. */
  async release(): Promise<void> {
    this.#record.clear();
    await this.#magnitudes.release();
  }

  #resample(
    record: SampleStore,
    runs: BlockStatistics | undefined,
    ...[scores, request, onResample]: Parameters<ResamplingSnapshot['resample']>
  ): Promise<ResampledScores> {
    const { signal } = request;
    return this.#withEngine(signal, (engine) =>
      withAggregate(scores, async (aggregated) => {
        const run = { plan: this.#plan, engine, onProgress: onResample };
        if (runs === undefined) return resampleScores(record, aggregated, request, run);
        if (request.correlation === 'spearman') throw ranksNeedRows();
        await addRows(runs, record, engine, signal);
        const groups = await runs.grouped(createYielder(signal));
        return resampleGroups(groups, aggregated, request, run);
      }),
    );
  }

  /** Turns the rows into sums. The state changes only at the end, at once. */
  async #formRuns(): Promise<void> {
    // Only what the engine is known to have accumulated: sums cannot be undone.
    await this.#engine.flush();
    const runs =
      this.#runs?.copy() ??
      new BlockStatistics(this.#plan.groups, Math.ceil(this.#rows / (2 * this.#plan.groups)));
    await this.#withEngine(undefined, (engine) => addRows(runs, this.#record, engine));
    this.#runs = runs;
    this.#record.clear();
  }

  /** Runs some work on an engine of its own. */
  async #withEngine<T>(signal: AbortSignal | undefined, work: (engine: Engine) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const { engine, release } = await this.#openEngine();
    try {
      return await work(engine);
    } finally {
      await release();
    }
  }
}

function ranksNeedRows(): MagnitudeEdgeError {
  return new MagnitudeEdgeError(
    'invalid-argument',
    "Standard errors of Spearman's correlations need the magnitudes of all samples, but there were so many that only their " +
      'sums were kept: raise uncertainty.maxBytes and ask for permutations, which keep them, or take Pearson correlations.',
    { details: { option: 'correlation' } },
  );
}

/**
 * The uncertainty that a call uses, if any.
 *
 * @param requested undefined: whatever is available
 * @throws `invalid-argument` if it is requested but nothing was kept for it
 */
export function requestedUncertainty(
  requested: boolean | undefined,
  available: Uncertainty | undefined,
): Uncertainty | undefined {
  if (requested !== true) return requested === false ? undefined : available;
  if (available !== undefined) return available;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    'Uncertainty was asked for, but the inferer was created without it and has kept nothing to compute it from.',
    { details: { option: 'uncertainty' } },
  );
}
