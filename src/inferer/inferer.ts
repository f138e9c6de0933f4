import type { RecordBatch, Table } from 'apache-arrow';
import type { Batch } from '../data/batches.ts';
import { checkBatch } from '../data/check-batch.ts';
import { channelSettings } from '../engine/channels/channel-settings.ts';
import { Channels } from '../engine/channels/channels.ts';
import { createEngine } from '../engine/create.ts';
import type { ChannelBatch, MagnitudeBatch, Reduction } from '../engine/engine.ts';
import { uncertaintySettings } from '../resampling/uncertainty-settings.ts';
import { uncertaintyAsked, Uncertainty } from '../resampling/uncertainty.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { ChannelBlock } from '../engine/channels/channel-blocks.ts';
import type {
  ChannelBlockOptions,
  EdgeScores,
  EvaluateBatchesOptions,
  EvaluateOptions,
  FitOptions,
  InfererDiagnostics,
  InfererOptions,
  ScoreOptions,
  SelectOptions,
} from './inferer-options.ts';
import { checkCanResume, fitSettings, type FitSettings } from './fit-settings.ts';
import type { HeldStatistics } from './held-statistics.ts';
import { InfererStatistics } from './inferer-statistics.ts';
import { engineShape } from './model-engine-shape.ts';
import { checkGraphFitsModel, functionParents, type GsnnGraph } from '../model/graph.ts';
import type { InfererModel } from '../model/external-model.ts';
import { describeLoss } from '../model/loss-settings.ts';
import { checkPostNorm } from '../model/profile.ts';
import { DEFAULT_LAMBDA } from '../scoring/channel/request.ts';
import { magnitudeProvenance, magnitudeSettings } from '../scoring/magnitude-settings.ts';
import type { MagnitudeScore } from '../scoring/score-matrices.ts';
import {
  selectEdges,
  selectionPlan,
  type ConditionalScores,
  type Selection,
} from '../scoring/select-edges.ts';
import { startedGenerator } from '../started-generator.ts';
import { scoreCoverage } from '../engine/scores/unscored.ts';
import { createYielder } from '../statistics/yielder.ts';
import { raggedFromLists, type RaggedIndices } from '../statistics/ragged.ts';
import { edgeSet } from '../table/edge-set.ts';
import { selectionTable } from '../table/selection-table.ts';
import { checkEdgeTableOptions, checkTableRoom, edgeTable, edgeTableBatches } from '../table/edge-table.ts';
import { evaluateRecovery } from '../table/recovery.ts';
import { evaluateTargetRanking } from '../table/ranking.ts';
import { decodeStatisticsOf, encodeStatistics } from '../table/statistics-file.ts';
import { statisticsOrigin, type SavedStatistics, type StatisticsOrigin } from '../table/statistics-origin.ts';

/**
 * Magnitude edge inference over one model (docs/method.md): `fit` accumulates statistics of activation and gradient
 * magnitudes, `evaluate` turns them into a table of scored edges. Statistics may be saved, loaded and merged between.
 */
export class MagnitudeEdgeInferer {
  /** Ranks positive edges among the sources of their targets; see docs/method.md, "Target ranking". */
  static readonly evaluateTargetRanking = evaluateTargetRanking;
  /** How well scores find positive edges among all pairs that are no known edge; see docs/method.md, "Ranking figures". */
  static readonly evaluateRecovery = evaluateRecovery;

  readonly model: InfererModel;
  readonly graph: GsnnGraph;
  readonly reduction: Reduction;
  readonly usePreNorm: boolean;

  readonly #statistics: InfererStatistics;
  readonly #releaseModel: () => void;
  /** The call that changes the statistics: there is one at a time. */
  #claim: { readonly call: string; readonly ended: Promise<void> } | undefined;
  /** Calls under way that give something made of the statistics */
  readonly #readers = new Set<Promise<unknown>>();
  #released: Promise<void> | undefined;

  private constructor(
    model: InfererModel,
    { graph, reduction, usePreNorm }: { graph: GsnnGraph; reduction: Reduction; usePreNorm: boolean },
    statistics: InfererStatistics,
    releaseModel: () => void,
  ) {
    this.model = model;
    this.graph = graph;
    this.reduction = reduction;
    this.usePreNorm = usePreNorm;
    this.#statistics = statistics;
    this.#releaseModel = releaseModel;
  }

  /**
   * Checks the options and prepares the backend; nothing is computed yet.
   * @throws MagnitudeEdgeError `graph-mismatch` for a graph of other sizes than the model, `unsupported-model` for
   * `usePreNorm: false` behind a norm that erases magnitudes, `no-adapter` when 'webgpu' cannot be had
   */
  static async create(model: InfererModel, options: InfererOptions = {}): Promise<MagnitudeEdgeInferer> {
    const { graph = model.graph, reduction = 'l1', usePreNorm = true, backend = 'auto' } = options;
    checkOneOf('reduction', reduction, ['l1', 'l2']);
    checkOneOf('backend', backend, ['auto', 'webgpu', 'cpu']);
    if (graph !== model.graph) checkGraphFitsModel(graph, model.graph);
    if (!usePreNorm) checkPostNorm(model.norm);
    const settings = uncertaintySettings(options.uncertainty);
    const kept = channelSettings(options.channels);
    const releaseModel = model.retain();
    try {
      const deviceNow = () => model.device;
      const open = () => createEngine(backend, engineShape(model, reduction), deviceNow());
      const choice = await open();
      const uncertainty = settings && new Uncertainty(settings, choice.engine, deviceNow);
      const channels =
        kept &&
        new Channels(kept, choice.engine.shape, deviceNow, () =>
          choice.engine.diagnostics.backend === 'webgpu' ? deviceNow() : undefined,
        );
      const beside = { uncertainty, channels };
      const { function: names } = graph.nodeNames;
      const fitted = fitSettings(model, graph, {});
      const statistics = new InfererStatistics(choice, open, beside, names, fitted);
      return new MagnitudeEdgeInferer(model, { graph, reduction, usePreNorm }, statistics, releaseModel);
    } catch (error) {
      releaseModel();
      throw error;
    }
  }

  get diagnostics(): InfererDiagnostics {
    const { engine, fallbacks } = this.#statistics.choice;
    const { notes, ...diagnostics } = engine.diagnostics;
    const channelNotes = this.#statistics.channels?.notes ?? [];
    return {
      ...diagnostics,
      notes: [...notes, ...channelNotes],
      model: this.model.diagnostics,
      fallbacks,
    };
  }

  /** n, the samples that the statistics hold. */
  get samples(): number {
    return this.#statistics.held.tally.samples;
  }

  /**
   * Resets, then accumulates over the loader; resolves to n, the samples held. A batch that is refused ends the fit and
   * is not counted; the batches before it are. Nor is a batch during whose run through the model the signal is aborted.
   * After `device-lost` the samples are gone, and the next fit starts again on another device, unless the lost one was the
   * caller's.
   * @throws MagnitudeEdgeError `batch-mismatch`, `non-finite` (naming batch and node), `busy` beside another fit,
   * `invalid-argument` for an edge that cannot be masked, for loss options that do not fit the loss, and for another
   * loss or mask than that of the statistics gone on from, `unsupported-model` for another loss than a joint export's,
   * `out-of-memory` for more samples than uncertainty or channels may keep, `runtime`, `device-lost`, `released`; the signal's reason
   * once it is aborted
   */
  fit(loader: Iterable<Batch> | AsyncIterable<Batch>, options: FitOptions = {}): Promise<number> {
    return this.#claimed('fit', () => {
      const settings = fitSettings(this.model, this.graph, options);
      return this.#fit(loader, settings, options, () => this.#runner(settings));
    });
  }

  /**
   * As {@link MagnitudeEdgeInferer.fit}, from values that were computed elsewhere, on the host: channel values of a batch or,
   * without channel scores later, its magnitudes alone.
   * @param options `loss` says in provenance what the gradients are of; edges cannot be masked here
   * @throws MagnitudeEdgeError as `fit`, and `invalid-argument` for magnitudes alone where uncertainty is kept
   */
  fitValues(
    loader: AsyncIterable<ChannelBatch | MagnitudeBatch>,
    options: Omit<FitOptions, 'maskedEdges'> = {},
  ): Promise<number> {
    return this.#claimed('fit', () => {
      const settings = fitSettings(this.model, this.graph, options);
      const run = (values: ChannelBatch | MagnitudeBatch) =>
        Promise.resolve({ values, dispose: () => undefined });
      return this.#fit(loader, settings, options, () => Promise.resolve(run));
    });
  }

  /** Whether `fitValues` would keep the channel values of another batch. */
  get keepsChannels(): boolean {
    return this.#statistics.channels?.keeping ?? false;
  }

  /** Runs batches through the model. */
  async #runner({ loss, edgeMask }: FitSettings): Promise<Runner<Batch>> {
    const { usePreNorm } = this;
    const session = await this.model.trainingSession({ ...loss, usePreNorm, onGpu: this.#onGpu });
    return async (batch, index) => {
      const { x, y, size } = checkBatch(batch, index, this.model.graph, loss.maskMissingTargets);
      const values = await session.run(x, y, size, edgeMask);
      return {
        values,
        dispose: () => {
          values.dispose();
        },
      };
    };
  }

  async #fit<T>(
    loader: Iterable<T> | AsyncIterable<T>,
    settings: FitSettings,
    { onProgress, signal, reset = true }: FitOptions,
    prepare: () => Promise<Runner<T>>,
  ): Promise<number> {
    signal?.throwIfAborted();
    const goesOn = !reset && this.samples > 0;
    const statistics = this.#statistics;
    if (goesOn) checkCanResume(this.model, statistics.held.settings, settings);
    else await this.#recover();
    const run = await prepare();
    signal?.throwIfAborted();
    if (!goesOn) statistics.startAnew(settings);
    await statistics.goOn();
    const { held } = statistics;
    const firstBatch = held.tally.batches;
    const yielder = createYielder(signal);
    let [batches, samples] = [0, 0];
    try {
      for await (const batch of loader) {
        await yielder();
        const { values, dispose } = await run(batch, batches);
        try {
          const kept = await this.#read(values);
          // A batch during which the signal was aborted is not counted.
          await yielder();
          await statistics.take(values, kept.magnitudes, kept.channelValues, signal);
        } finally {
          dispose();
        }
        batches++;
        samples += values.size;
        onProgress?.({ batch: batches, samples, ...lengthOf(loader) });
      }
      return await statistics.flush();
    } catch (error) {
      throw statistics.noteRefusal(held, error, firstBatch);
    }
  }

  /** What is kept of a batch beside the statistics. */
  async #read(values: ChannelBatch | MagnitudeBatch) {
    const { uncertainty, channels } = this.#statistics;
    if (!('x' in values)) {
      return { magnitudes: await uncertainty?.read(values), channelValues: await channels?.read(values) };
    }
    if (uncertainty) {
      throw new MagnitudeEdgeError(
        'invalid-argument',
        'Uncertainty needs channel values, not magnitudes alone.',
      );
    }
    channels?.skip();
    return { magnitudes: undefined, channelValues: undefined };
  }

  /**
   * Scores all ordered pairs of function nodes from the statistics held: the edge table of docs/method.md, sorted by
   * score. May be called as often as wanted, also while a fit runs: it is of the samples that are held when it is called,
   * and of a batch that is being taken in.
   * @returns an apache-arrow table, the caller's
   * @throws MagnitudeEdgeError `too-few-samples` below 3 (for uncertainty, below what its groups need), `invalid-argument`
   * (also for uncertainty of samples that came from a file), `graph-mismatch` for a graph of other sizes than the model,
   * `out-of-memory` where scores find no room or the table would take more than 4 GiB, `released`
   */
  evaluate(options: EvaluateOptions = {}): Promise<Table> {
    return this.#reading(async () => {
      const { nodes, pairs } = this.#statistics.choice.engine.shape;
      checkTableRoom(nodes, options.score ?? 'corr', pairs, options);
      const { scores, graph, parents, provenance, rows } = await this.#resample({ ...options });
      try {
        return await edgeTable(scores, graph, parents, provenance, rows);
      } finally {
        scores.release();
      }
    });
  }

  /**
   * The table of {@link evaluate} as record batches of one schema, in its order, each made when it is asked for: a large
   * table can be written or sent as it comes. The scores are those of the call, whatever the inferer does meanwhile; they
   * are let go when the batches end, or the loop over them: loop over them, or call `return`.
   * @throws MagnitudeEdgeError as {@link evaluate}, at the first batch
   */
  evaluateBatches(options: EvaluateBatchesOptions = {}): AsyncGenerator<RecordBatch, void, undefined> {
    return startedGenerator(
      this.#reading(() => this.#resample({ ...options })),
      async function* ({ scores, graph, parents, provenance, rows }) {
        try {
          yield* edgeTableBatches(scores, graph, parents, provenance, rows);
        } finally {
          scores.release();
        }
      },
      ({ scores }) => {
        scores.release();
      },
    );
  }

  /**
   * The scores behind {@link evaluate}, without a table: arrays on the host when they are asked for and, with the WebGPU
   * engine, the device and the buffers that hold them. They are the caller's until `release`, whatever the inferer does
   * meanwhile; its own release ends the device where that is not the model's.
   * Their `table` is what `evaluate` would give without uncertainty, as often as wanted.
   * @throws MagnitudeEdgeError as {@link evaluate}
   */
  scores(options: ScoreOptions = {}): Promise<EdgeScores> {
    return this.#reading(async () => {
      const { scores, graph, parents, provenance } = await this.#score({ ...options, uncertainty: false });
      const { nodes, pairs, scoredTargets, nodeFlags, tests, gpu } = scores;
      return {
        nodes,
        pairs,
        scoredTargets,
        nodeFlags,
        tests,
        gpu,
        matrices: () => scores.matrices(),
        aggregate: () => scores.aggregate(),
        reader: () => scores.reader(),
        release: () => {
          scores.release();
        },
        table: async (rows = {}) => {
          checkEdgeTableOptions(rows);
          return edgeTable(scores, graph, parents, provenance, { ...rows });
        },
        coverage: ({ excludeSelf = true, signal } = {}) =>
          scoreCoverage(scores, {
            conditioningSets: provenance.score === 'partial' ? parents : undefined,
            edges: graph.edgeIndex['function,function'],
            excludeSelf,
            yielder: createYielder(signal),
          }),
      };
    });
  }

  /**
   * Takes the best candidate edges in, one after the other: each is conditioned on before the next ones of its target are
   * scored (docs/method.md, "Stagewise selection"). Known edges are not taken. Nothing of the inferer changes.
   * @returns a row per edge, in the order in which they were taken in: `step`, `src_func`, `dst_func`, `src_idx`, `dst_idx`,
   * `corr` or `score`, `n_cond`
   * @throws MagnitudeEdgeError as {@link evaluate}, `invalid-argument` for steps, perStep and stopAt out of range
   */
  select(options: SelectOptions = {}): Promise<Table> {
    return this.#reading(async () => {
      const { score = 'corr', signal, onStep } = options;
      const plan = selectionPlan(options);
      const { held } = this.#statistics;
      if (options.graph) checkGraphFitsModel(options.graph, this.model.graph);
      const graph = options.graph ?? held.settings.graph;
      const parents = options.graph ? raggedFromLists(functionParents(options.graph)) : held.settings.parents;
      const { usePreNorm, loss } = this.#origin(held);
      const known = edgeSet(graph.edgeIndex['function,function'], graph.nodeNames.function.length);
      const work = (scores: ConditionalScores): Promise<Selection> =>
        selectEdges(scores, known, plan, createYielder(signal), onStep);
      const { result, provenance } =
        score === 'channel'
          ? await this.#selectChannels(options, work)
          : await this.#selectMagnitudes({ ...options, score }, parents, work);
      return selectionTable(result, graph, { score, usePreNorm, loss, ...provenance }, plan);
    });
  }

  async #selectMagnitudes(
    options: SelectOptions & { readonly score: MagnitudeScore },
    conditioningSets: RaggedIndices,
    work: (scores: ConditionalScores) => Promise<Selection>,
  ) {
    const settings = magnitudeSettings(options);
    const { signal } = options;
    const { choice } = this.#statistics;
    const { samples, result } = await this.#statistics.select(
      { ...settings, conditioningSets, signal },
      work,
    );
    const { backend } = choice.engine.diagnostics;
    const of = { reduction: this.reduction, samples, backend };
    return { result, provenance: magnitudeProvenance(settings, of) };
  }

  async #selectChannels(
    { layerAgg = 'mean', lambda = DEFAULT_LAMBDA, varianceFloor, signal }: SelectOptions,
    work: (scores: ConditionalScores) => Promise<Selection>,
  ) {
    const request = { layerAgg, lambda, varianceFloor, signal };
    const { samples, result } = await this.#statistics.selectChannels(request, work);
    const backend = this.#statistics.channels?.backend ?? 'cpu';
    return { result, provenance: { layerAgg, lambda, varianceFloor, samples, backend, solver: 'cpu' } };
  }

  /**
   * The blocks behind the channel scores of one ordered pair of function nodes: one per layer pair, or one for 'pooled'.
   * A score of a layer pair is the Frobenius norm of its block over the square root of its target channels.
   * @param source name of a function node
   * @param target name of a function node
   * @throws MagnitudeEdgeError as {@link evaluate} for channel scores; `invalid-argument` for a name or a layer pair that
   * there is not
   */
  channelBlock(source: string, target: string, options: ChannelBlockOptions = {}): Promise<ChannelBlock[]> {
    return this.#reading(() => {
      const { layerAgg, lambda = DEFAULT_LAMBDA, ...rest } = options;
      const [from, to] = [this.#functionNode(source), this.#functionNode(target)];
      checkLayerPair(rest.layerPair, this.#statistics.choice.engine.shape.pairs);
      const pooled = layerAgg === 'pooled';
      return this.#statistics.channelBlocks({ ...rest, source: from, target: to, lambda, pooled });
    });
  }

  #functionNode(name: string): number {
    const node = this.graph.nodeNames.function.indexOf(name);
    if (node >= 0) return node;
    throw new MagnitudeEdgeError('invalid-argument', `There is no function node named '${name}'.`, {
      details: { found: name },
    });
  }

  /** Scores, and what resampling says of them where it is asked. */
  async #resample(options: EvaluateBatchesOptions) {
    checkEdgeTableOptions(options);
    const { resample, ...scored } = await this.#score(options);
    try {
      const resampled = await resample?.(options.onResample);
      return { ...scored, rows: { ...options, resampled } };
    } catch (error) {
      scored.scores.release();
      throw error;
    }
  }

  async #score(options: EvaluateOptions) {
    const { score = 'corr', signal, graph: other } = options;
    const { held, uncertainty: there } = this.#statistics;
    const uncertainty = uncertaintyAsked(options.uncertainty, there);
    if (other) checkGraphFitsModel(other, this.model.graph);
    const graph = other ?? held.settings.graph;
    const parents = other ? raggedFromLists(functionParents(other)) : held.settings.parents;
    const { usePreNorm, loss } = this.#origin(held);
    signal?.throwIfAborted();
    const scored =
      score === 'channel'
        ? await this.#scoreChannels(options, uncertainty)
        : await this.#scoreMagnitudes({ ...options, score }, parents, uncertainty);
    return { ...scored, graph, parents, provenance: { score, usePreNorm, loss, ...scored.provenance } };
  }

  async #scoreMagnitudes(
    options: ScoreOptions & { readonly score: MagnitudeScore },
    conditioningSets: RaggedIndices,
    uncertainty: Uncertainty | undefined,
  ) {
    const request = { ...magnitudeSettings(options), conditioningSets, signal: options.signal };
    const { samples, evidence, scores } = await this.#statistics.score(request, uncertainty);
    const { backend } = this.#statistics.choice.engine.diagnostics;
    const { reduction } = this;
    return {
      scores,
      resample: evidence && ((onResample?: OnResample) => evidence.resample(scores, request, onResample)),
      provenance: magnitudeProvenance(request, { reduction, samples, backend }),
    };
  }

  async #scoreChannels(options: EvaluateOptions, uncertainty: Uncertainty | undefined) {
    const { layerAgg = 'mean', lambda = DEFAULT_LAMBDA, varianceFloor, maxQ = 1, signal } = options;
    const plan = uncertainty?.plan;
    if (maxQ < 1 && !plan?.permutations) {
      throw new MagnitudeEdgeError(
        'invalid-argument',
        'maxQ needs p-values, which channel scores have from shuffles alone: create the inferer with uncertainty: { permutations }.',
        { details: { option: 'maxQ', found: maxQ } },
      );
    }
    const request = { layerAgg, lambda, varianceFloor, signal };
    const { samples, evidence, scores } = await this.#statistics.scoreChannels(request, plan !== undefined);
    return {
      scores,
      resample:
        evidence &&
        plan &&
        ((onResample?: OnResample) => evidence.resample(scores, request, plan, onResample)),
      provenance: {
        layerAgg,
        lambda,
        varianceFloor,
        samples,
        backend: this.#statistics.channels?.backend ?? 'cpu',
      },
    };
  }

  /** Forgets all samples. @throws MagnitudeEdgeError `busy` while a fit runs or a file is taken in, `released` */
  resetStats(): void {
    this.#assertIdle('resetStats');
    this.#statistics.startAnew(this.#statistics.held.settings);
  }

  /**
   * The statistics held, as an Arrow IPC file.
   * @param options `channels: true` puts the channel values of the samples into it as well, 8 P C bytes a sample, so that
   * channel scores can be had of it; default false
   * @throws MagnitudeEdgeError `invalid-argument` for channel values that are not held, `released`
   */
  saveStats({ channels = false }: { readonly channels?: boolean | undefined } = {}): Promise<Uint8Array> {
    return this.#reading(async () => {
      const origin = this.#origin(this.#statistics.held);
      if (channels) return encodeStatistics({ ...(await this.#statistics.readWithChannels()), origin });
      return encodeStatistics({ statistics: await this.#statistics.read(), origin });
    });
  }

  /**
   * Replaces the statistics held by saved ones.
   * @throws MagnitudeEdgeError `invalid-data`, `graph-mismatch` (another graph, reduction, norm side or loss), `busy`
   * beside a fit, another load or a merge: then the statistics held stay; `out-of-memory`, `released`
   */
  loadStats(bytes: Uint8Array | ArrayBuffer): Promise<void> {
    return this.#claimed('loadStats', async () => {
      const saved = this.#decodeStats(bytes);
      if (this.#statistics.choice.lost) await this.#recover();
      this.#statistics.startAnew(this.#statistics.held.settings);
      return this.#statistics.merge(saved.statistics, saved.channels);
    });
  }

  /** Adds saved statistics over other samples to those held. @throws MagnitudeEdgeError as {@link loadStats} */
  mergeStats(bytes: Uint8Array | ArrayBuffer): Promise<void> {
    return this.#claimed('mergeStats', async () => {
      const { statistics, channels } = this.#decodeStats(bytes);
      return this.#statistics.merge(statistics, channels);
    });
  }

  /**
   * Frees the engine, and the model where it was released before, once all calls made before have ended: a fit goes on to
   * its end, tables are made; a signal ends them sooner. Later calls are refused. Idempotent.
   */
  release(): Promise<void> {
    this.#released ??= this.#end();
    return this.#released;
  }

  async #end(): Promise<void> {
    try {
      await this.#claim?.ended;
      await Promise.allSettled(this.#readers);
      await this.#statistics.release();
    } finally {
      this.#releaseModel();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Starts again where a device has been lost, and the samples with it. */
  async #recover(): Promise<void> {
    await this.model.recover();
    await this.#statistics.recover();
  }

  /** Whether the model's values go to the engine without leaving the GPU. */
  get #onGpu(): boolean {
    const { backend, model } = this.diagnostics;
    return backend === 'webgpu' && model.executionProvider === 'webgpu';
  }

  #origin({ settings: { graph, loss } }: HeldStatistics): StatisticsOrigin {
    const { reduction, usePreNorm } = this;
    return statisticsOrigin(graph, { reduction, usePreNorm, loss: describeLoss(loss) });
  }

  #decodeStats(bytes: Uint8Array | ArrayBuffer): SavedStatistics {
    const { held, choice, channels } = this.#statistics;
    const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
    const saved = decodeStatisticsOf(view, this.#origin(held), choice.engine.shape.pairs);
    if (saved.channels) channels?.checkLayout(saved.channels);
    return saved;
  }

  /** Runs what changes the statistics, unless something else does already. */
  async #claimed<T>(call: string, work: () => Promise<T>): Promise<T> {
    this.#assertIdle(call);
    let end: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.#claim = { call, ended };
    try {
      return await work();
    } finally {
      this.#claim = undefined;
      end!();
    }
  }

  /** Runs what gives something made of the statistics; a release waits for it. */
  async #reading<T>(work: () => Promise<T>): Promise<T> {
    this.#assertUsable();
    const done = work();
    this.#readers.add(done);
    try {
      return await done;
    } finally {
      this.#readers.delete(done);
    }
  }

  #assertUsable(): void {
    if (!this.#released) return;
    throw new MagnitudeEdgeError('released', 'The inferer has been released and cannot be used any more.');
  }

  #assertIdle(call: string): void {
    this.#assertUsable();
    if (!this.#claim) return;
    const running = this.#claim.call === 'fit' ? 'a fit' : this.#claim.call;
    throw new MagnitudeEdgeError(
      'busy',
      `${call} cannot run while ${running} is running on the same inferer.`,
    );
  }
}

type OnResample = NonNullable<EvaluateOptions['onResample']>;

/** Gives the values of a batch, until they are disposed of. @param index batches before this one */
type Runner<T> = (
  batch: T,
  index: number,
) => Promise<{ readonly values: ChannelBatch | MagnitudeBatch; readonly dispose: () => void }>;

function lengthOf(loader: Iterable<unknown> | AsyncIterable<unknown>): { batches?: number } {
  return 'length' in loader && typeof loader.length === 'number' ? { batches: loader.length } : {};
}

function checkLayerPair(layerPair: number | undefined, pairs: number): void {
  if (layerPair === undefined || (Number.isInteger(layerPair) && layerPair >= 0 && layerPair < pairs)) return;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `layerPair must be a whole number from 0 to ${pairs - 1} and is ${layerPair}.`,
    { details: { option: 'layerPair', found: layerPair } },
  );
}

function checkOneOf(option: string, found: string, allowed: readonly string[]): void {
  if (allowed.includes(found)) return;
  const names = allowed.map((name) => `'${name}'`).join(', ');
  throw new MagnitudeEdgeError('invalid-argument', `${option} is '${found}', one of ${names} was expected.`);
}
