import type { RecordBatch, Table } from 'apache-arrow';
import type { Batch } from '../data/batches.ts';
import type { ChannelBlock } from '../engine/channels/channel-blocks.ts';
import type { PairMagnitudes } from '../engine/channels/pair-magnitudes.ts';
import type { ChannelBatch, MagnitudeBatch, Reduction } from '../engine/engine.ts';
import { checkOneOf } from '../check-one-of.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { InfererModel } from '../model/external-model.ts';
import { checkGraphFitsModel, type GsnnGraph } from '../model/graph.ts';
import { checkPostNorm } from '../model/profile.ts';
import { DEFAULT_LAMBDA } from '../scoring/channel/request.ts';
import type { EdgeScore } from '../scoring/score-matrices.ts';
import { startedGenerator } from '../started-generator.ts';
import { checkTableSize, edgeTable, edgeTableBatches } from '../table/edge-table.ts';
import type { EdgeColumns } from '../table/edge-table-columns.ts';
import { evaluateTargetRanking } from '../table/ranking.ts';
import { evaluateRecovery } from '../table/recovery.ts';
import { decodeStatisticsOf, encodeStatistics } from '../table/statistics-file.ts';
import type { SavedStatistics } from '../table/statistics-origin.ts';
import { Calls } from './calls.ts';
import { edgeScores } from './edge-scores.ts';
import { checkLayerPair } from './inferer-options.ts';
import type {
  ChannelBlockOptions,
  EdgeScores,
  EvaluateBatchesOptions,
  EvaluateOptions,
  FitOptions,
  FitValuesOptions,
  InfererDiagnostics,
  InfererOptions,
  ScoreOptions,
  SelectOptions,
} from './inferer-options.ts';
import { InfererFits } from './inferer-fits.ts';
import { InfererScores, type InfererScoresSettings } from './inferer-scores.ts';
import type { InfererStatistics } from './inferer-statistics.ts';
import { openStatistics } from './open-statistics.ts';

/**
 * Magnitude edge inference over one model (docs/method.md): `fit` accumulates statistics of activation and gradient
 * magnitudes, `evaluate` turns them into a table of scored edges. Statistics can be saved, loaded and merged.
 */
export class MagnitudeEdgeInferer {
  /** Ranks positive edges among the sources of their targets; see docs/method.md, "Target ranking". */
  static readonly evaluateTargetRanking = evaluateTargetRanking;
  /** How well scores find positive edges among all candidate pairs; see docs/method.md, "Ranking figures". */
  static readonly evaluateRecovery = evaluateRecovery;

  readonly model: InfererModel;
  readonly graph: GsnnGraph;
  readonly reduction: Reduction;
  readonly usePreNorm: boolean;

  readonly #statistics: InfererStatistics;
  readonly #scores: InfererScores;
  readonly #fits: InfererFits;
  readonly #releaseModel: () => void;
  readonly #calls = new Calls();
  #released: Promise<void> | undefined;

  private constructor(
    model: InfererModel,
    { graph, ...settings }: InfererScoresSettings & { graph: GsnnGraph },
    statistics: InfererStatistics,
    releaseModel: () => void,
  ) {
    this.model = model;
    this.graph = graph;
    this.reduction = settings.reduction;
    this.usePreNorm = settings.usePreNorm;
    this.#statistics = statistics;
    this.#scores = new InfererScores(model, statistics, settings);
    const { usePreNorm } = settings;
    this.#fits = new InfererFits({ model, graph, usePreNorm }, statistics, (held) =>
      this.#scores.origin(held),
    );
    this.#releaseModel = releaseModel;
  }

  /**
   * Checks the options and prepares the backend; nothing is computed yet.
   * @throws MagnitudeEdgeError `graph-mismatch` for a graph whose sizes differ from the model's, `unsupported-model`
   * for `usePreNorm: false` after a norm that erases magnitudes, `no-adapter` if 'webgpu' is not available
   */
  static async create(model: InfererModel, options: InfererOptions = {}): Promise<MagnitudeEdgeInferer> {
    const { graph = model.graph, reduction = 'l1', usePreNorm = true } = options;
    const { backend = 'auto', precision = 'exact' } = options;
    checkOneOf('reduction', reduction, ['l1', 'l2']);
    checkOneOf('backend', backend, ['auto', 'webgpu', 'cpu']);
    checkOneOf('precision', precision, ['exact', 'fast']);
    if (graph !== model.graph) checkGraphFitsModel(graph, model.graph);
    if (!usePreNorm) checkPostNorm(model.norm);
    const releaseModel = model.retain();
    try {
      const statistics = await openStatistics(model, graph, options);
      const settings = { graph, reduction, usePreNorm, precision };
      return new MagnitudeEdgeInferer(model, settings, statistics, releaseModel);
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
   * Resets, then accumulates over the loader; resolves to n, the samples held. A refused batch ends the fit; the batches
   * before it count. A batch that is in the model when the signal is aborted does not. After `device-lost` the samples
   * are gone, and the next fit starts over on another device, unless the lost one was the caller's.
   * @throws MagnitudeEdgeError `batch-mismatch`; `non-finite` (naming batch and node); `busy` during another fit;
   * `invalid-argument` for an edge that cannot be masked, loss options that do not fit the loss, a loss or mask other
   * than that of the statistics added to, and checkpoints of other settings or of a fit that cannot have any;
   * `unsupported-model` for a loss other than a joint export's; `graph-mismatch` and `invalid-data` for a checkpoint of
   * another model, of other data, or that is damaged; `out-of-memory` for more samples than uncertainty or channels may
   * keep; `runtime`, `device-lost`, `released`; the signal's reason once it is aborted
   */
  fit(loader: Iterable<Batch> | AsyncIterable<Batch>, options: FitOptions = {}): Promise<number> {
    return this.#calls.claimed('fit', () => this.#fits.ofSamples(loader, options));
  }

  /**
   * As {@link MagnitudeEdgeInferer.fit}, from values computed elsewhere, on the host: channel values of a batch or, if
   * no channel scores are needed, its magnitudes alone.
   * @param options `loss` tells provenance which loss the gradients belong to; edges cannot be masked here
   * @throws MagnitudeEdgeError as `fit`, and `invalid-argument` for magnitudes alone if uncertainty is kept
   */
  fitValues(
    loader: AsyncIterable<ChannelBatch | MagnitudeBatch>,
    options: FitValuesOptions = {},
  ): Promise<number> {
    return this.#calls.claimed('fit', () => this.#fits.ofValues(loader, options));
  }

  /**
   * Keeps the channel values of samples that `fitValues` accumulated as magnitudes, in the same order; see
   * `channelsLater`.
   * @throws MagnitudeEdgeError `batch-mismatch`, `invalid-argument` with `channels: false`, `out-of-memory`, `busy`
   * during a fit, `released`
   */
  addChannelValues(batch: ChannelBatch): Promise<void> {
    return this.#calls.claimed('addChannelValues', () => this.#statistics.addChannelValues(batch));
  }

  /** Whether `fitValues` would keep the channel values of another batch. */
  get keepsChannels(): boolean {
    return this.#statistics.channels?.keeping ?? false;
  }

  /**
   * Scores all ordered pairs of function nodes from the statistics held: the edge table of docs/method.md, sorted by
   * score. Can be called any number of times, also during a fit: it covers the samples held at the time of the call,
   * including a batch that is being accumulated.
   * @returns an apache-arrow table, owned by the caller
   * @throws MagnitudeEdgeError `too-few-samples` below 3 (for uncertainty, below what its groups need),
   * `invalid-argument` (also for uncertainty of samples that came from a file), `graph-mismatch` for a graph whose
   * sizes differ from the model's, `out-of-memory` if the scores do not fit in memory or the table would take more than
   * 4 GiB, `released`
   */
  evaluate<S extends EdgeScore = 'corr'>(
    options: EvaluateOptions & { readonly score?: S | undefined } = {},
  ): Promise<Table<EdgeColumns<S>>> {
    return this.#calls.reading(async () => {
      const { nodes, pairs } = this.#statistics.choice.engine.shape;
      checkTableSize(nodes, options.score ?? 'corr', pairs, options);
      const { scores, graph, parents, provenance, rows } = await this.#scores.resampled({ ...options });
      try {
        return (await edgeTable(scores, graph, parents, provenance, rows)) as Table<EdgeColumns<S>>;
      } finally {
        scores.release();
      }
    });
  }

  /**
   * The table of {@link evaluate} as record batches of one schema, in the same order. Each is made on request, so that
   * a large table can be written or sent piece by piece. The scores are those at the time of the call, whatever the
   * inferer does meanwhile. They are released when the batches, or the loop over them, end: loop over them, or call
   * `return`.
   * @throws MagnitudeEdgeError as {@link evaluate}, at the first batch
   */
  evaluateBatches(options: EvaluateBatchesOptions = {}): AsyncGenerator<RecordBatch, void, undefined> {
    return startedGenerator(
      this.#calls.reading(() => this.#scores.resampled({ ...options })),
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
   * The scores behind {@link evaluate}, without a table: arrays on the host on request and, with the WebGPU engine, the
   * device and the buffers that hold them. They belong to the caller until `release`, whatever the inferer does
   * meanwhile; its own release ends the device unless that is the model's. Their `table` returns what `evaluate` would
   * return without uncertainty, any number of times.
   * @throws MagnitudeEdgeError as {@link evaluate}
   */
  scores(options: ScoreOptions = {}): Promise<EdgeScores> {
    return this.#calls.reading(async () =>
      edgeScores(await this.#scores.score({ ...options, uncertainty: false })),
    );
  }

  /**
   * Selects the best candidate edges, one after the other: each is conditioned on before the next ones of its target
   * are scored (docs/method.md, "Stagewise selection"). Known edges are not selected. The inferer does not change.
   * @returns a row per edge, in the order of selection: `step`, `src_func`, `dst_func`, `src_idx`, `dst_idx`, `corr` or
   * `score`, `n_cond`
   * @throws MagnitudeEdgeError as {@link evaluate}, `invalid-argument` for steps, perStep and stopAt out of range
   */
  select(options: SelectOptions = {}): Promise<Table> {
    return this.#calls.reading(() => this.#scores.select(options));
  }

  /**
   * The blocks behind the channel scores of one ordered pair of function nodes: one per layer pair; for 'pooled' only
   * one. The score of a layer pair is the Frobenius norm of its block, divided by the square root of the number of its
   * target channels.
   * @param source name of a function node
   * @param target name of a function node
   * @throws MagnitudeEdgeError as {@link evaluate} for channel scores; `invalid-argument` for an unknown name or layer
   * pair
   */
  channelBlock(source: string, target: string, options: ChannelBlockOptions = {}): Promise<ChannelBlock[]> {
    return this.#calls.reading(() => {
      const { layerAgg, lambda = DEFAULT_LAMBDA, ...rest } = options;
      const [from, to] = [this.#functionNode(source), this.#functionNode(target)];
      checkLayerPair(rest.layerPair, this.#statistics.choice.engine.shape.pairs);
      const pooled = layerAgg === 'pooled';
      return this.#statistics.channelBlocks({ ...rest, source: from, target: to, lambda, pooled });
    });
  }

  /**
   * The magnitudes behind the scores of one ordered pair of function nodes, sample by sample, from the channel values
   * kept: the score of a layer pair is the correlation of its two arrays.
   * @param source name of a function node
   * @param target name of a function node
   * @param samples at most this many of the first ones. Default 2000.
   * @throws MagnitudeEdgeError `invalid-argument` for an unknown name, or if channel values are not kept
   */
  pairMagnitudes(source: string, target: string, samples = 2000): Promise<PairMagnitudes> {
    return this.#calls.reading(() => {
      const [from, to] = [this.#functionNode(source), this.#functionNode(target)];
      return this.#statistics.pairMagnitudes({ source: from, target: to, samples });
    });
  }

  #functionNode(name: string): number {
    const node = this.graph.nodeNames.function.indexOf(name);
    if (node >= 0) return node;
    throw new MagnitudeEdgeError('invalid-argument', `There is no function node named '${name}'.`, {
      details: { found: name },
    });
  }

  /** Forgets all samples. @throws MagnitudeEdgeError `busy` while a fit runs or a file is being loaded, `released` */
  resetStats(): void {
    this.#calls.assertIdle('resetStats');
    this.#statistics.startAnew(this.#statistics.held.settings);
  }

  /**
   * The statistics held, as an Arrow IPC file.
   * @param options `channels: true` includes the channel values of the samples, 8 P C bytes per sample, so that channel
   * scores can be computed from the file; default false
   * @throws MagnitudeEdgeError `invalid-argument` for channel values that are not held, `released`
   */
  saveStats({ channels = false }: { readonly channels?: boolean | undefined } = {}): Promise<Uint8Array> {
    return this.#calls.reading(async () => {
      const origin = this.#scores.origin(this.#statistics.held);
      if (channels) return encodeStatistics({ ...(await this.#statistics.readWithChannels()), origin });
      return encodeStatistics({ statistics: await this.#statistics.read(), origin });
    });
  }

  /**
   * Replaces the statistics held by saved ones.
   * @throws MagnitudeEdgeError `invalid-data`, `graph-mismatch` (another graph, reduction, norm side or loss), `busy`
   * during a fit, another load or a merge: in these cases the statistics held remain; `out-of-memory`, `released`
   */
  loadStats(bytes: Uint8Array | ArrayBuffer): Promise<void> {
    return this.#calls.claimed('loadStats', async () => {
      const saved = this.#decodeStats(bytes);
      if (this.#statistics.choice.lost) await this.#fits.recover();
      this.#statistics.startAnew(this.#statistics.held.settings);
      return this.#statistics.merge(saved.statistics, saved.channels);
    });
  }

  /** Adds saved statistics over other samples to those held. @throws MagnitudeEdgeError as {@link loadStats} */
  mergeStats(bytes: Uint8Array | ArrayBuffer): Promise<void> {
    return this.#calls.claimed('mergeStats', async () => {
      const { statistics, channels } = this.#decodeStats(bytes);
      return this.#statistics.merge(statistics, channels);
    });
  }

  /**
   * Frees the engine, and the model if that was released before, once all earlier calls have ended: a fit runs to its
   * end, tables are completed; a signal ends them sooner. Later calls are rejected. Idempotent.
   */
  release(): Promise<void> {
    this.#released ??= this.#end();
    return this.#released;
  }

  async #end(): Promise<void> {
    try {
      await this.#calls.end();
      await this.#statistics.release();
    } finally {
      this.#releaseModel();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #decodeStats(bytes: Uint8Array | ArrayBuffer): SavedStatistics {
    const { held, choice, channels } = this.#statistics;
    const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
    const saved = decodeStatisticsOf(view, this.#scores.origin(held), choice.engine.shape.pairs);
    if (saved.channels) channels?.checkLayout(saved.channels);
    return saved;
  }
}
