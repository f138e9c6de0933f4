import type { RecordBatch, Table } from 'apache-arrow';
import type { Batch } from './data/batches.ts';
import { checkBatch } from './data/check-batch.ts';
import { createEngine, type EngineChoice } from './engine/create.ts';
import type { Reduction } from './engine/engine.ts';
import { refusalInModelTerms, refusedBatch, SampleTally } from './engine/sample-tally.ts';
import { uncertaintySettings } from './engine/uncertainty-settings.ts';
import { uncertaintyAsked, Uncertainty } from './engine/uncertainty.ts';
import { MagnitudeEdgeError } from './errors.ts';
import type {
  EdgeScores,
  EvaluateBatchesOptions,
  EvaluateOptions,
  FitOptions,
  InfererDiagnostics,
  InfererOptions,
  ScoreOptions,
} from './inferer-options.ts';
import { checkGoesOn, fitSettings, type FitSettings } from './fit-settings.ts';
import { engineShape } from './model-engine-shape.ts';
import { checkGraphFitsModel, functionParents, type GsnnGraph } from './model/graph.ts';
import type { GsnnModel } from './model/gsnn-model.ts';
import { describeLoss } from './model/loss-settings.ts';
import { checkPostNorm } from './model/profile.ts';
import { createPacer } from './statistics/pacer.ts';
import { raggedFromLists } from './statistics/ragged.ts';
import type { SufficientStatistics } from './statistics/sufficient-statistics.ts';
import { checkEdgeTableOptions, checkTableRoom, edgeTable, edgeTableBatches } from './table/edge-table.ts';
import { evaluateTargetRanking } from './table/ranking.ts';
import { decodeStatisticsOf, encodeStatistics } from './table/statistics-file.ts';
import { statisticsOrigin, type StatisticsOrigin } from './table/statistics-origin.ts';

/**
 * Magnitude edge inference over one model (docs/method.md): `fit` accumulates statistics of activation and gradient
 * magnitudes, `evaluate` turns them into a table of scored edges. Statistics may be saved, loaded and merged between.
 */
export class MagnitudeEdgeInferer {
  /** Ranks positive edges among the sources of their targets; see docs/method.md, "Target ranking". */
  static readonly evaluateTargetRanking = evaluateTargetRanking;

  readonly model: GsnnModel;
  readonly graph: GsnnGraph;
  readonly reduction: Reduction;
  readonly usePreNorm: boolean;

  readonly #choice: EngineChoice;
  readonly #letModelGo: () => void;
  readonly #uncertainty: Uncertainty | undefined;
  readonly #tally = new SampleTally();
  /** Whether the engine has refused a batch since the last reset. */
  #refused = false;
  /** Of the statistics held, or to be held. */
  #settings: FitSettings;
  #fitting = false;
  #released: Promise<void> | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();

  private constructor(
    model: GsnnModel,
    { graph, reduction, usePreNorm }: { graph: GsnnGraph; reduction: Reduction; usePreNorm: boolean },
    choice: EngineChoice,
    letModelGo: () => void,
    uncertainty: Uncertainty | undefined,
  ) {
    this.model = model;
    this.graph = graph;
    this.reduction = reduction;
    this.usePreNorm = usePreNorm;
    this.#choice = choice;
    this.#letModelGo = letModelGo;
    this.#uncertainty = uncertainty;
    this.#settings = fitSettings(model, graph, {});
  }

  /**
   * Checks the options and prepares the backend; nothing is computed yet.
   * @throws MagnitudeEdgeError `graph-mismatch` for a graph of other sizes than the model, `unsupported-model` for
   * `usePreNorm: false` behind a norm that erases magnitudes, `no-adapter` when 'webgpu' cannot be had
   */
  static async create(model: GsnnModel, options: InfererOptions = {}): Promise<MagnitudeEdgeInferer> {
    const { graph = model.graph, reduction = 'l1', usePreNorm = true, backend = 'auto' } = options;
    checkOneOf('reduction', reduction, ['l1', 'l2']);
    checkOneOf('backend', backend, ['auto', 'webgpu', 'cpu']);
    if (graph !== model.graph) checkGraphFitsModel(graph, model.graph);
    if (!usePreNorm) checkPostNorm(model.norm);
    const settings = uncertaintySettings(options.uncertainty);
    const letModelGo = model.retain();
    try {
      const choice = await createEngine(backend, engineShape(model, reduction), model.device);
      const uncertainty = settings && new Uncertainty(settings, choice.engine, model.device);
      const fixed = { graph, reduction, usePreNorm };
      return new MagnitudeEdgeInferer(model, fixed, choice, letModelGo, uncertainty);
    } catch (error) {
      letModelGo();
      throw error;
    }
  }

  get diagnostics(): InfererDiagnostics {
    const { engine, fallbacks } = this.#choice;
    return { ...engine.diagnostics, model: this.model.diagnostics, fallbacks };
  }

  /** n, the samples that the statistics hold. */
  get samples(): number {
    return this.#tally.samples;
  }

  /**
   * Resets, then accumulates over the loader; resolves to n, the samples held. A batch that is refused ends the fit and
   * is not counted; the batches before it are. Nor is a batch during whose run through the model the signal is aborted.
   * @throws MagnitudeEdgeError `batch-mismatch`, `non-finite` (naming batch and node), `busy` beside another fit,
   * `invalid-argument` for an edge that cannot be masked, for loss options that do not fit the loss, and for another
   * loss or mask than that of the statistics gone on from, `unsupported-model` for another loss than a joint export's,
   * `out-of-memory` for more samples than uncertainty may keep, `runtime`, `device-lost`, `released`; the signal's reason
   * once it is aborted
   */
  async fit(loader: Iterable<Batch> | AsyncIterable<Batch>, options: FitOptions = {}): Promise<number> {
    const { onProgress, signal, reset = true } = options;
    this.#assertIdle('fit');
    this.#fitting = true;
    let firstBatch = 0;
    try {
      signal?.throwIfAborted();
      const { engine } = this.#choice;
      const settings = fitSettings(this.model, this.graph, options);
      if (!reset && this.samples > 0) checkGoesOn(this.model, this.#settings, settings);
      const { loss, edgeMask } = settings;
      const session = await this.model.trainingSession({
        ...loss,
        usePreNorm: this.usePreNorm,
        onGpu: this.#onGpu,
      });
      if (reset) this.#reset();
      else await this.#forgetRefusal();
      this.#settings = settings;
      firstBatch = this.#tally.batches;
      const pace = createPacer(signal);
      let [batches, samples] = [0, 0];
      for await (const batch of loader) {
        await pace();
        const { x, y, size } = checkBatch(batch, batches, this.model.graph, loss.maskMissingTargets);
        const values = await session.run(x, y, size, edgeMask);
        try {
          const magnitudes = await this.#uncertainty?.read(values);
          // A batch during which the signal was aborted is not counted.
          await pace();
          await this.#inTurn(async () => {
            // Nor one that waited for scores meanwhile.
            signal?.throwIfAborted();
            await engine.accumulate(values);
            if (magnitudes) this.#uncertainty?.keep(magnitudes);
          });
        } finally {
          values.dispose();
        }
        this.#tally.add(size);
        batches++;
        samples += size;
        onProgress?.({ batch: batches, samples, ...lengthOf(loader) });
      }
      return await this.#inTurn(() => engine.flush());
    } catch (error) {
      throw this.#noteRefusal(error, firstBatch);
    } finally {
      this.#fitting = false;
    }
  }

  /**
   * Scores all ordered pairs of function nodes from the statistics held: the edge table of docs/method.md, sorted by
   * score. May be called as often as wanted, also while a fit runs.
   * @returns an apache-arrow table, the caller's
   * @throws MagnitudeEdgeError `too-few-samples` below 3 (for uncertainty, below what its groups need), `invalid-argument`
   * (also for uncertainty of samples that came from a file), `graph-mismatch` for a graph of other sizes than the model,
   * `out-of-memory` where scores find no room or the table would take more than 4 GiB, `released`
   */
  async evaluate(options: EvaluateOptions = {}): Promise<Table> {
    checkEdgeTableOptions(options);
    const { nodes, pairs } = this.#choice.engine.shape;
    checkTableRoom(nodes, options.score ?? 'corr', pairs, options);
    const { scores, graph, request, provenance, evidence } = await this.#score(options);
    try {
      const resampled = await evidence?.resample(scores, request, options.onResample);
      return await edgeTable(scores, graph, request.conditioningSets, provenance, { ...options, resampled });
    } finally {
      scores.release();
    }
  }

  /**
   * The table of {@link evaluate} as record batches of one schema, in its order, each made when it is asked for: a large
   * table can be written or sent as it comes. The scores are those of the call, whatever the inferer does meanwhile; they
   * are let go when the batches end, or the loop over them.
   * @throws MagnitudeEdgeError as {@link evaluate}, at the first batch
   */
  async *evaluateBatches(options: EvaluateBatchesOptions = {}): AsyncGenerator<RecordBatch, void, undefined> {
    checkEdgeTableOptions(options);
    const { scores, graph, request, provenance, evidence } = await this.#score(options);
    try {
      const resampled = await evidence?.resample(scores, request, options.onResample);
      const { conditioningSets } = request;
      yield* edgeTableBatches(scores, graph, conditioningSets, provenance, { ...options, resampled });
    } finally {
      scores.release();
    }
  }

  /**
   * The scores behind {@link evaluate}, without a table: arrays on the host when they are asked for and, with the WebGPU
   * engine, the device and the buffers that hold them. They are the caller's until `release`, whatever the inferer does
   * meanwhile; its own release ends the device where that is not the model's.
   * Their `table` is what `evaluate` would give without uncertainty, as often as wanted.
   * @throws MagnitudeEdgeError as {@link evaluate}
   */
  async scores(options: ScoreOptions = {}): Promise<EdgeScores> {
    const wanted = { ...options, uncertainty: false } as const;
    const { scores, graph, request, provenance } = await this.#score(wanted);
    const { nodes, pairs, scoredTargets, gpu } = scores;
    return {
      nodes,
      pairs,
      scoredTargets,
      gpu,
      matrices: () => scores.matrices(),
      aggregate: () => scores.aggregate(),
      release: () => {
        scores.release();
      },
      table: async (rows = {}) => {
        checkEdgeTableOptions(rows);
        return edgeTable(scores, graph, request.conditioningSets, provenance, rows);
      },
    };
  }

  async #score(options: ScoreOptions & Pick<EvaluateOptions, 'uncertainty'>) {
    const { layerAgg = 'mean', score = 'corr', ridge = 1e-8, signal, graph: other } = options;
    this.#assertUsable();
    const uncertainty = uncertaintyAsked(options.uncertainty, this.#uncertainty);
    if (other) checkGraphFitsModel(other, this.model.graph);
    const graph = other ?? this.#settings.graph;
    const parents = other ? raggedFromLists(functionParents(other)) : this.#settings.parents;
    signal?.throwIfAborted();
    const { engine } = this.#choice;
    const request = { score, layerAgg, ridge, conditioningSets: parents, signal };
    const [samples, evidence, scores] = await this.#inTurn(async () => [
      await this.#samplesHeld(),
      uncertainty?.evidence(),
      await engine.scores(request),
    ]);
    const { reduction, usePreNorm, loss } = this.#origin();
    const { backend } = engine.diagnostics;
    const provenance = { score, layerAgg, ridge, reduction, usePreNorm, loss, samples, backend };
    return { scores, graph, request, provenance, evidence };
  }

  /** Forgets all samples. @throws MagnitudeEdgeError `busy` while a fit runs, `released` */
  resetStats(): void {
    this.#assertIdle('resetStats');
    this.#reset();
  }

  /** The statistics held, as an Arrow IPC file. @throws MagnitudeEdgeError `released` */
  async saveStats(): Promise<Uint8Array> {
    this.#assertUsable();
    const statistics = await this.#inTurn(() => this.#choice.engine.statistics());
    return encodeStatistics({ statistics, origin: this.#origin() });
  }

  /**
   * Replaces the statistics held by saved ones.
   * @throws MagnitudeEdgeError `invalid-data`, `graph-mismatch` (another graph, reduction, norm side or loss): then the
   * statistics held stay; `busy`, `released`
   */
  async loadStats(bytes: Uint8Array | ArrayBuffer): Promise<void> {
    this.#assertIdle('loadStats');
    const statistics = this.#decodeStats(bytes);
    this.#reset();
    await this.#merge(statistics);
    this.#uncertainty?.noteMerged(statistics.samples);
  }

  /** Adds saved statistics over other samples to those held. @throws MagnitudeEdgeError as {@link loadStats} */
  async mergeStats(bytes: Uint8Array | ArrayBuffer): Promise<void> {
    this.#assertIdle('mergeStats');
    const statistics = this.#decodeStats(bytes);
    await this.#forgetRefusal();
    await this.#merge(statistics);
    this.#uncertainty?.noteMerged(statistics.samples);
  }

  /** Frees the engine, once a running fit has ended, and the model where it was released before. Idempotent. */
  release(): Promise<void> {
    this.#released ??= this.#inTurn(async () => {
      await this.#uncertainty?.release();
      await this.#choice.release();
    }).finally(this.#letModelGo);
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Whether the model's values go to the engine without leaving the GPU. */
  get #onGpu(): boolean {
    const { backend, model } = this.diagnostics;
    return backend === 'webgpu' && model.executionProvider === 'webgpu';
  }

  #origin(): StatisticsOrigin {
    const { reduction, usePreNorm } = this;
    const { graph, loss } = this.#settings;
    return statisticsOrigin(graph, { reduction, usePreNorm, loss: describeLoss(loss) });
  }

  #decodeStats(bytes: Uint8Array | ArrayBuffer): SufficientStatistics {
    const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
    return decodeStatisticsOf(view, this.#origin(), this.#choice.engine.shape.pairs);
  }

  async #merge(statistics: SufficientStatistics): Promise<void> {
    await this.#inTurn(() => this.#choice.engine.merge(statistics));
    this.#tally.addMerged(statistics.samples);
  }

  #reset(): void {
    this.#uncertainty?.clear();
    this.#resetEngine();
  }

  #resetEngine(): void {
    this.#choice.engine.reset();
    this.#tally.clear();
    this.#refused = false;
  }

  async #samplesHeld(): Promise<number> {
    try {
      return await this.#choice.engine.flush();
    } catch (error) {
      if (refusedBatch(error) === undefined) throw error;
      this.#noteRefusal(error, 0);
      return this.#tally.samples;
    }
  }

  /** An engine takes nothing more after a refusal: lets it start over from the statistics that it holds. */
  async #forgetRefusal(): Promise<void> {
    if (!this.#refused) return;
    const kept = await this.#inTurn(() => this.#choice.engine.statistics());
    this.#resetEngine();
    await this.#merge(kept);
  }

  /** Counts no batch from a refused one on, and names the node; other errors pass. */
  #noteRefusal(error: unknown, firstBatch: number): unknown {
    const batch = refusedBatch(error);
    if (batch === undefined) return error;
    this.#refused = true;
    this.#tally.takeBackFrom(batch);
    this.#uncertainty?.truncate(this.#tally.samples);
    return refusalInModelTerms(error as MagnitudeEdgeError, this.graph.nodeNames.function, firstBatch);
  }

  /** Scores must not fall between a batch and its count. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastTurn.then(work);
    this.#lastTurn = done.catch(() => undefined);
    return done;
  }

  #assertUsable(): void {
    if (!this.#released) return;
    throw new MagnitudeEdgeError('released', 'The inferer has been released and cannot be used any more.');
  }

  #assertIdle(call: string): void {
    this.#assertUsable();
    if (!this.#fitting) return;
    throw new MagnitudeEdgeError('busy', `${call} cannot run while a fit is running on the same inferer.`);
  }
}

function lengthOf(loader: Iterable<Batch> | AsyncIterable<Batch>): { batches?: number } {
  return 'length' in loader && typeof loader.length === 'number' ? { batches: loader.length } : {};
}

function checkOneOf(option: string, found: string, allowed: readonly string[]): void {
  if (allowed.includes(found)) return;
  const names = allowed.map((name) => `'${name}'`).join(', ');
  throw new MagnitudeEdgeError('invalid-argument', `${option} is '${found}', one of ${names} was expected.`);
}
