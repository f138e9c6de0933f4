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

/** What {@link Uncertainty.state} says beside its arrays. */
export interface UncertaintyFacts {
  /** Samples kept as rows */
  readonly rows: number;
  readonly merged: number;
  readonly runs?: BlockFacts | undefined;
}

/** Samples that scores are of. */
export interface ResamplingSnapshot {
  /**
   * What resampling says of scores; see {@link resampleScores}. Opens an engine for it, and releases it.
   *
   * @param scores the scores of these samples, which stay the caller's
   * @throws `too-few-samples`; the signal's reason once it is aborted
   */
  resample(
    scores: Scores,
    request: MagnitudeRequest,
    onResample?: (done: number, total: number) => void,
  ): Promise<ResampledScores>;
}

/**
 * Keeps the magnitudes of the samples that an engine sees, on the host, and scores them again and again to tell how sure
 * the scores are. Where nothing is shuffled, many samples become sums of consecutive runs: no fit is too long for standard
 * errors. Works beside an engine, through its interface alone: what that computes does not change.
 *
 * For each batch: {@link Uncertainty.read}, then the engine, then {@link Uncertainty.keep}; so that nothing is kept of
 * a batch that the engine refuses.
 */
export class Uncertainty {
  readonly settings: UncertaintySettings;
  readonly #plan: ResamplePlan;
  readonly #openEngine: () => Promise<EngineChoice>;
  #engine: Engine;
  /** Samples as rows, and the most of them before they become sums */
  readonly #record: SampleStore;
  readonly #rows: number;
  /** The samples before them as sums; undefined while there are none */
  #runs: BlockStatistics | undefined;
  /** Samples held that came from files */
  #merged = 0;
  readonly #magnitudes: MagnitudesOfBatch;

  /**
   * @param engine the engine whose scores it is about; made with channels
   * @param deviceNow gives the device of values that come as GPU buffers, and of further engines on WebGPU
   * @param precision of further engines
   */
  constructor(
    settings: UncertaintySettings,
    engine: Engine,
    deviceNow: () => GPUDevice | undefined = () => undefined,
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
        { device: deviceNow(), precision },
      );
    this.#magnitudes = new MagnitudesOfBatch(engine.shape, deviceNow);
    this.#record = new SampleStore(engine.shape, settings.maxBytes);
    this.#rows = rowsToKeep(settings, engine.shape);
  }

  /**
   * The magnitudes of a batch, on the host, with room for them in the record. From a GPU that costs one readback of
   * 8 P N bytes a sample.
   *
   * @throws `out-of-memory` where the record would pass its limit; `device-lost`, `gpu-validation`; what the engine has
   *   refused of the batches before
   */
  async read(batch: ChannelBatch): Promise<MagnitudeBatch> {
    const { size } = batch;
    const kept = this.#record.samples;
    // A batch that is larger than all before it does not cut them into runs too short.
    if (kept + size > this.#rows && 2 * kept >= this.#rows) await this.#formRuns();
    this.#record.reserve(size);
    return this.#magnitudes.read(batch);
  }

  /** How often, and how, scores are computed again */
  get plan(): ResamplePlan {
    return this.#plan;
  }

  /** Keeps what {@link Uncertainty.read} gave for the batch that the engine has taken since. */
  keep(batch: MagnitudeBatch): void {
    this.#record.add(batch);
  }

  /** The engine now holds samples of a statistics file, too. */
  noteMerged(samples: number): void {
    this.#merged += samples;
  }

  /** The engine holds so many samples in all: it has refused a batch that it had already taken. */
  truncate(samples: number): void {
    this.#record.truncate(samples - this.#merged - (this.#runs?.samples ?? 0));
  }

  /** The engine's device is lost, and another engine without samples takes its place. */
  moveTo(engine: Engine): void {
    this.#engine = engine;
    this.clear();
    void this.#magnitudes.release();
  }

  /** Forgets all samples. Scores that are being computed go on. */
  clear(): void {
    this.#record.clear();
    this.#runs = undefined;
    this.#merged = 0;
  }

  /** What is kept, to go on from; arrays of runs are not copies. */
  get state(): FitState<UncertaintyFacts> {
    const rows = Uint32Array.from({ length: this.#record.samples }, (_, row) => row);
    const { x, y } = this.#record.gathered({ x: rows, y: rows });
    const runs = this.#runs?.state;
    return {
      facts: { rows: rows.length, merged: this.#merged, ...(runs ? { runs: runs.facts } : {}) },
      arrays: new Map([['rows_x', x], ['rows_y', y], ...(runs?.arrays ?? [])]),
    };
  }

  /** Takes up what {@link Uncertainty.state} was. Nothing may be kept. @throws RangeError, `out-of-memory` */
  restore({ facts, arrays }: FitState<UncertaintyFacts>): void {
    const [x, y] = [stateArrays(arrays, 'rows_x', Float32Array), stateArrays(arrays, 'rows_y', Float32Array)];
    this.#record.reserve(facts.rows);
    this.#record.add({ size: facts.rows, x, y });
    this.#merged = facts.merged;
    this.#runs = facts.runs && BlockStatistics.from(this.#plan.groups, { facts: facts.runs, arrays });
  }

  /**
   * The samples held now: scores of them can be resampled at any later time.
   *
   * @throws `invalid-argument` where the engine holds samples of a file
   */
  snapshot(): ResamplingSnapshot {
    const merged = this.#merged;
    if (merged > 0) {
      const samples = this.#record.samples + (this.#runs?.samples ?? 0) + merged;
      throw new MagnitudeEdgeError(
        'invalid-argument',
        `Uncertainty needs the samples themselves, and ${merged} of the ${samples} that the statistics hold came from ` +
          'a statistics file, which has their sums alone: evaluate with uncertainty: false, or fit all samples here.',
        { details: { option: 'uncertainty', samples, merged } },
      );
    }
    const record = this.#record.view();
    const runs = this.#runs?.copy();
    return {
      resample: (scores, request, onResample) => this.#resample(record, runs, scores, request, onResample),
    };
  }

  /** Frees what is held, once nothing is being computed any more. Idempotent. */
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

  /** Turns the rows into sums. What is kept changes at once, at the end. */
  async #formRuns(): Promise<void> {
    // Only what the engine is known to have counted: sums cannot be taken back.
    await this.#engine.flush();
    const runs =
      this.#runs?.copy() ??
      new BlockStatistics(this.#plan.groups, Math.ceil(this.#rows / (2 * this.#plan.groups)));
    await this.#withEngine(undefined, (engine) => addRows(runs, this.#record, engine));
    this.#runs = runs;
    this.#record.clear();
  }

  /** Does some work on an engine of its own. */
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
    "Standard errors of Spearman's correlations need the magnitudes of all samples, and so many samples came that they were " +
      'summed up: raise uncertainty.maxBytes and ask for permutations, which keep them, or take Pearson correlations.',
    { details: { option: 'correlation' } },
  );
}

/**
 * The uncertainty that a call asks for, of what there is.
 *
 * @param asked undefined for whatever there is
 * @throws `invalid-argument` where it is asked for and nothing was kept for it
 */
export function uncertaintyAsked(
  asked: boolean | undefined,
  there: Uncertainty | undefined,
): Uncertainty | undefined {
  if (asked !== true) return asked === false ? undefined : there;
  if (there !== undefined) return there;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    'Uncertainty was asked for, but the inferer was created without it and has kept nothing to tell it from.',
    { details: { option: 'uncertainty' } },
  );
}
