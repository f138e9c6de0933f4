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
import { checkTableRoom, edgeTable, edgeTableBatches } from '../table/edge-table.ts';
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
   * @throws MagnitudeEdgeError `graph-mismatch` for a graph of other sizes than the model, `unsupported-model` for
   * `usePreNorm: false` behind a norm that erases magnitudes, `no-adapter` when 'webgpu' cannot be had
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
   * Resets, then accumulates over the loader; resolves to n, the samples held. A batch that is refused ends the fit and
   * is not counted; the batches before it are. Nor is a batch during whose run through the model the signal is aborted.
   * After `device-lost` the samples are gone, and the next fit starts again on another device, unless the lost one was the
   * caller's.
   * @throws MagnitudeEdgeError `batch-mismatch`, `non-finite` (naming batch and node), `busy` beside another fit,
   * `invalid-argument` for an edge that cannot be masked, for loss options that do not fit the loss, and for another
   * loss or mask than that of the statistics gone on from, `unsupported-model` for another loss than a joint export's,
   * and for checkpoints of a fit that cannot have any or of other settings, `graph-mismatch` and `invalid-data` for a
   * checkpoint of another model, of data that have changed or that is damaged,
   * `out-of-memory` for more samples than uncertainty or channels may keep, `runtime`, `device-lost`, `released`; the signal's reason
   * once it is aborted
   */
  fit(loader: Iterable<Batch> | AsyncIterable<Batch>, options: FitOptions = {}): Promise<number> {
    return this.#calls.claimed('fit', () => this.#fits.ofSamples(loader, options));
  }

  /**
   * As {@link MagnitudeEdgeInferer.fit}, from values that were computed elsewhere, on the host: channel values of a batch or,
   * without channel scores later, its magnitudes alone.
   * @param options `loss` says in provenance what the gradients are of; edges cannot be masked here
   * @throws MagnitudeEdgeError as `fit`, and `invalid-argument` for magnitudes alone where uncertainty is kept
   */
  fitValues(
    loader: AsyncIterable<ChannelBatch | MagnitudeBatch>,
    options: FitValuesOptions = {},
  ): Promise<number> {
    return this.#calls.claimed('fit', () => this.#fits.ofValues(loader, options));
  }

  /**
   * Keeps the channel values of samples that `fitValues` took as magnitudes, in their order; see `channelsLater`.
   * @throws MagnitudeEdgeError `batch-mismatch`, `invalid-argument` with `channels: false`, `out-of-memory`, `busy` beside a fit,
   * `released`
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
   * score. May be called as often as wanted, also while a fit runs: it is of the samples that are held when it is called,
   * and of a batch that is being taken in.
   * @returns an apache-arrow table, the caller's
   * @throws MagnitudeEdgeError `too-few-samples` below 3 (for uncertainty, below what its groups need), `invalid-argument`
   * (also for uncertainty of samples that came from a file), `graph-mismatch` for a graph of other sizes than the model,
   * `out-of-memory` where scores find no room or the table would take more than 4 GiB, `released`
   */
  evaluate<S extends EdgeScore = 'corr'>(
    options: EvaluateOptions & { readonly score?: S | undefined } = {},
  ): Promise<Table<EdgeColumns<S>>> {
    return this.#calls.reading(async () => {
      const { nodes, pairs } = this.#statistics.choice.engine.shape;
      checkTableRoom(nodes, options.score ?? 'corr', pairs, options);
      const { scores, graph, parents, provenance, rows } = await this.#scores.resampled({ ...options });
      try {
        return (await edgeTable(scores, graph, parents, provenance, rows)) as Table<EdgeColumns<S>>;
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
   * The scores behind {@link evaluate}, without a table: arrays on the host when they are asked for and, with the WebGPU
   * engine, the device and the buffers that hold them. They are the caller's until `release`, whatever the inferer does
   * meanwhile; its own release ends the device where that is not the model's.
   * Their `table` is what `evaluate` would give without uncertainty, as often as wanted.
   * @throws MagnitudeEdgeError as {@link evaluate}
   */
  scores(options: ScoreOptions = {}): Promise<EdgeScores> {
    return this.#calls.reading(async () =>
      edgeScores(await this.#scores.score({ ...options, uncertainty: false })),
    );
  }

  /**
   * Takes the best candidate edges in, one after the other: each is conditioned on before the next ones of its target are
   * scored (docs/method.md, "Stagewise selection"). Known edges are not taken. Nothing of the inferer changes.
   * @returns a row per edge, in the order in which they were taken in: `step`, `src_func`, `dst_func`, `src_idx`, `dst_idx`,
   * `corr` or `score`, `n_cond`
   * @throws MagnitudeEdgeError as {@link evaluate}, `invalid-argument` for steps, perStep and stopAt out of range
   */
  select(options: SelectOptions = {}): Promise<Table> {
    return this.#calls.reading(() => this.#scores.select(options));
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
    return this.#calls.reading(() => {
      const { layerAgg, lambda = DEFAULT_LAMBDA, ...rest } = options;
      const [from, to] = [this.#functionNode(source), this.#functionNode(target)];
      checkLayerPair(rest.layerPair, this.#statistics.choice.engine.shape.pairs);
      const pooled = layerAgg === 'pooled';
      return this.#statistics.channelBlocks({ ...rest, source: from, target: to, lambda, pooled });
    });
  }

  /**
   * What the scores of one ordered pair of function nodes are of, sample by sample, from the channel values kept: a score
   * of a layer pair is the correlation of its two arrays.
   * @param source name of a function node
   * @param target name of a function node
   * @param samples so many of the first ones. Default 2000.
   * @throws MagnitudeEdgeError `invalid-argument` for a name that there is not, or channel values that are not kept
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

  /** Forgets all samples. @throws MagnitudeEdgeError `busy` while a fit runs or a file is taken in, `released` */
  resetStats(): void {
    this.#calls.assertIdle('resetStats');
    this.#statistics.startAnew(this.#statistics.held.settings);
  }

  /**
   * The statistics held, as an Arrow IPC file.
   * @param options `channels: true` puts the channel values of the samples into it as well, 8 P C bytes a sample, so that
   * channel scores can be had of it; default false
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
   * beside a fit, another load or a merge: then the statistics held stay; `out-of-memory`, `released`
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
   * Frees the engine, and the model where it was released before, once all calls made before have ended: a fit goes on to
   * its end, tables are made; a signal ends them sooner. Later calls are refused. Idempotent.
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
