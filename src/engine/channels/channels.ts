import { MagnitudeEdgeError } from '../../errors.ts';
import { adoptDevice } from '../../gpu/device.ts';
import { checkChannelRequest, type ChannelRequest } from '../../scoring/channel/request.ts';
import { HostScores, ScoreArrays } from '../scores/host-scores.ts';
import type { Scores } from '../scores/scores.ts';
import type { ConditionalScores } from '../../scoring/select-edges.ts';
import type { ChannelRows, ChannelValuesBatch } from '../../statistics/channel-record.ts';
import type { RaggedIndices } from '../../statistics/ragged.ts';
import type { FitState } from '../../statistics/fit-state.ts';
import { channelCounts, sameCounts, type SavedChannels } from '../../statistics/saved-channels.ts';
import type { ChannelBatch, EngineShape, Precision } from '../engine.ts';
import { channelBlocks, type BlockRequest, type ChannelBlock } from './channel-blocks.ts';
import { ChannelScoreCache } from './channel-score-cache.ts';
import { pairMagnitudes, type PairMagnitudes, type PairRequest } from './pair-magnitudes.ts';
import { channelScores, type ChannelMatrices } from './channel-scores.ts';
import type { ChannelSettings } from './channel-settings.ts';
import { ChannelStore, type ChannelStoreFacts } from './channel-store.ts';
import { ChannelThreads } from './channel-threads.ts';
import type { AllMagnitudes } from '../score-magnitudes.ts';
import { magnitudesOfChannels } from './channel-magnitudes.ts';
import { conditionalChannels } from './select-channels.ts';
import { valuesOnHost } from './values-on-host.ts';

/** Facts that {@link Channels.state} records in addition to its arrays. */
export interface ChannelFacts extends ChannelStoreFacts {
  /** Why nothing is kept any more */
  readonly left?: string;
  readonly merged: number;
}

/** Samples to compute channel scores from, and the threads that do it. */
export interface ChannelSnapshot {
  readonly rows: ChannelRows;
  /** Channels of each node */
  readonly groups: RaggedIndices;
  readonly threads: ChannelThreads;
}

/**
 * Keeps the channel values of the samples that an engine sees, and scores them. Works alongside the engine and does not
 * change its results.
 *
 * For each batch, call {@link Channels.read}, then the engine, then {@link Channels.keep}, so that nothing is kept of a
 * batch that the engine refuses.
 */
export class Channels {
  readonly #shape: EngineShape & { readonly channels: number };
  readonly settings: ChannelSettings;
  readonly #getDevice: () => GPUDevice | undefined;
  readonly #store: ChannelStore;
  readonly #threads: ChannelThreads;
  /** Why nothing is kept any more; undefined while it is */
  #stopReason: string | undefined;
  /** Samples of merged files whose channel values are not kept */
  #merged = 0;
  readonly #cache = new ChannelScoreCache();

  /**
   * @param getDevice returns the device of values that are GPU buffers
   * @param getRegressionDevice returns the device to run regressions on
   * @param precision of regressions on that device
   */
  constructor(
    settings: ChannelSettings,
    shape: EngineShape,
    getDevice: () => GPUDevice | undefined = () => undefined,
    getRegressionDevice: () => GPUDevice | undefined = () => undefined,
    precision: Precision = 'exact',
  ) {
    const { channels, pairs } = shape;
    if (channels === undefined) throw new TypeError('Channels beside an engine for magnitudes alone.');
    this.settings = settings;
    this.#shape = { ...shape, channels };
    this.#getDevice = getDevice;
    const getGpu = (device = getRegressionDevice()) => device && adoptDevice(device);
    this.#threads = new ChannelThreads(undefined, getGpu, precision);
    this.#store = new ChannelStore(pairs, channels, shape.channelGroups!, this.#threads);
  }

  /** Whether the values of further samples will be kept */
  get keeping(): boolean {
    return this.#stopReason === undefined;
  }

  /** Backend of the last regressions */
  get backend(): 'webgpu' | 'cpu' {
    return this.#threads.backend;
  }

  /** Notes for diagnostics */
  get notes(): readonly string[] {
    return [this.#stopReason, this.#threads.note].filter(Boolean) as string[];
  }

  /**
   * The channel values of a batch on the host, if they fit; undefined if nothing is kept. Values on a GPU cost one
   * readback of 8 P C bytes per sample.
   *
   * @throws `out-of-memory` if they must be kept and do not fit; `device-lost`, `gpu-validation`
   */
  async read({ size, activations, gradients }: ChannelBatch): Promise<ChannelValuesBatch | undefined> {
    if (this.#stopReason !== undefined || !this.#fitsOrStopsKeeping(size)) return undefined;
    const { pairs, channels } = this.#shape;
    const values = await valuesOnHost([...activations, ...gradients], size * channels, this.#getDevice());
    return { size, activations: values.slice(0, pairs), gradients: values.slice(pairs) };
  }

  /** Whether `size` more samples fit; if not, drops those kept so far. @throws `out-of-memory` */
  #fitsOrStopsKeeping(size: number): boolean {
    const { maxBytes, required } = this.settings;
    if (this.#store.storableAs(size, maxBytes) !== 'none') return true;
    const samples = this.#store.samples + size;
    const bytes = this.#store.bytesWith(size);
    const why = `The channel values of ${samples} samples take ${bytes} bytes, but channels.maxBytes is ${maxBytes}`;
    const details = { option: 'channels.maxBytes', samples, bytes, maxBytes };
    if (required) {
      throw new MagnitudeEdgeError(
        'out-of-memory',
        `${why}: create the inferer with channels: { maxBytes: ${bytes} } or more, or with channels: false.`,
        { details },
      );
    }
    this.#stopKeeping(why);
    return false;
  }

  /**
   * Keeps the result of {@link Channels.read}, after the engine has accepted the batch.
   *
   * @param confirmed resolves when the engine has checked all batches: rows kept so far may have to be added to sums,
   * from which they cannot be removed
   * @throws `out-of-memory`, and what `confirmed` does
   */
  async keep(batch: ChannelValuesBatch, confirmed: () => Promise<unknown>): Promise<void> {
    await this.#addSamples(batch.size, confirmed, () => {
      this.#store.add(batch);
    });
  }

  /** Call it when the engine accepts samples without channel values. @throws `invalid-argument` if these must be kept */
  skip(): void {
    const why = 'Samples came as magnitudes, without channel values';
    if (this.settings.required) throw new MagnitudeEdgeError('invalid-argument', `${why}.`);
    if (this.#stopReason === undefined) this.#stopKeeping(why);
  }

  /**
   * Call it when the engine has merged the samples of a statistics file, with or without their channel values.
   * @throws `out-of-memory` if they must be kept and do not fit
   */
  async merge(samples: number, saved: SavedChannels | undefined): Promise<void> {
    const rows = saved === undefined || 'sums' in saved ? 0 : saved.samples;
    if (saved === undefined || this.#stopReason !== undefined || !this.#fitsOrStopsKeeping(rows)) {
      this.#merged += samples;
      this.#cache.clear();
      return;
    }
    await this.#addSamples(
      rows,
      () => Promise.resolve(),
      () => this.#store.merge(saved),
    );
  }

  /** Adds samples to the store, once their rows fit. */
  async #addSamples(
    rows: number,
    confirmed: () => Promise<unknown>,
    add: () => void | Promise<void>,
  ): Promise<void> {
    this.#cache.clear();
    const samples = this.#store.samples + rows;
    try {
      if (this.#store.storableAs(rows, this.settings.maxBytes) === 'sums') {
        await confirmed();
        await this.#store.absorb();
      }
      await add();
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      const why = `There is not enough memory for the channel values of ${samples} samples (${this.#store.bytesWith(rows)} bytes)`;
      // The engine has counted the batch.
      this.#stopKeeping(why);
      if (this.settings.required) throw new MagnitudeEdgeError('out-of-memory', `${why}.`, { cause });
    }
  }

  /** Checks that nodes have the same numbers of channels in saved channel values. @throws `graph-mismatch` */
  checkLayout(saved: SavedChannels): void {
    const expected = channelCounts(this.#groups);
    if (sameCounts(expected, saved.counts)) return;
    const node = expected.findIndex((count, at) => count !== saved.counts[at]);
    throw new MagnitudeEdgeError(
      'graph-mismatch',
      `The statistics file has ${saved.counts[node]} channels of function node ${node}, but the model has ${expected[node]}.`,
      { details: { node, expected: expected[node]!, found: saved.counts[node] ?? 0 } },
    );
  }

  /**
   * A copy of the channel values of all the engine's samples, or of their sums, for a file. @throws `invalid-argument`
   */
  saved(samples: number): Promise<SavedChannels> {
    this.#checkHeld(samples);
    return this.#store.saved();
  }

  /** State to resume from. */
  get state(): FitState<ChannelFacts> {
    const { facts, arrays } = this.#store.state;
    const left = this.#stopReason === undefined ? {} : { left: this.#stopReason };
    return { facts: { ...facts, ...left, merged: this.#merged }, arrays };
  }

  /** Restores {@link Channels.state}. Nothing may be kept yet. @throws RangeError */
  restore(state: FitState<ChannelFacts>): void {
    this.#store.restore(state);
    this.#stopReason = state.facts.left;
    this.#merged = state.facts.merged;
    this.#cache.clear();
  }

  /** Keeps only the first `samples` samples of the engine, after it refused a batch that was already counted. */
  truncate(samples: number): void {
    this.#store.truncate(samples - this.#merged);
    this.#cache.clear();
  }

  /** Forgets all samples. Scores being computed are not affected. */
  clear(): void {
    this.#store.clear();
    this.#merged = 0;
    this.#stopReason = undefined;
    this.#cache.clear();
  }

  /**
   * Checks that the channel values of all the engine's samples are kept.
   *
   * @param what needs them, for the error
   * @throws `invalid-argument` if some are missing
   */
  #checkHeld(samples: number, what = 'Channel scores'): void {
    if (this.#store.samples === samples) return;
    throw new MagnitudeEdgeError(
      'invalid-argument',
      this.#stopReason === undefined
        ? `${what} need the channel values of all samples, but ${this.#merged} of the ${samples} that the statistics hold came from a statistics file without them: fit all samples here.`
        : `${what} need the channel values of the samples, which were discarded. ${this.#stopReason}: create the inferer with channels: { maxBytes } for more.`,
      { details: { option: 'channels', samples, kept: this.#store.samples } },
    );
  }

  /**
   * Scores of all ordered pairs from the samples held; owned by the caller until released. The last ones are cached.
   *
   * @throws `invalid-argument` if channel values are missing; as `checkChannelRequest`
   */
  async scores(request: ChannelRequest, samples: number): Promise<Scores> {
    const arrays = new ScoreArrays(await this.#matrices(request, samples));
    return new HostScores(arrays, { pairs: this.#shape.pairs });
  }

  /** Scores that change as edges are selected, from the samples held now. @throws as {@link Channels.scores} */
  async conditional(request: ChannelRequest, samples: number): Promise<ConditionalScores> {
    const { aggregated } = await this.#matrices(request, samples);
    return conditionalChannels(await this.#store.held(), this.#groups, request, this.#threads, aggregated);
  }

  #matrices(request: ChannelRequest, samples: number): Promise<ChannelMatrices> {
    checkChannelRequest(request, samples);
    this.#checkHeld(samples);
    return this.#cache.get(request, async () =>
      channelScores(await this.#store.held(), this.#groups, request, this.#threads),
    );
  }

  /**
   * Magnitudes of all samples that the engine holds, in float64, formed anew.
   *
   * @throws as {@link Channels.snapshot}
   */
  magnitudes(samples: number): AllMagnitudes {
    const rows = this.#rows(samples, "Spearman's correlations");
    return magnitudesOfChannels(rows, this.#groups, this.#shape.reduction);
  }

  /** Magnitudes of one pair of nodes, for the first samples. @throws as {@link Channels.blocks} */
  pairMagnitudes(samples: number, request: PairRequest): PairMagnitudes {
    return pairMagnitudes(
      this.#rows(samples, 'Magnitudes of a pair'),
      this.#groups,
      this.#shape.reduction,
      request,
    );
  }

  /**
   * Returns a function that computes blocks of pairs of nodes from the samples held now, at any later time; see
   * {@link channelBlocks}.
   *
   * @throws `invalid-argument` if channel values are missing, or some have become sums
   */
  blocks(samples: number): (request: BlockRequest) => Promise<ChannelBlock[]> {
    const rows = this.#rows(samples, 'Blocks of channel scores');
    return (request) => {
      checkChannelRequest({ ...request, layerAgg: 'mean' }, rows.samples);
      return channelBlocks(rows, this.#groups, request);
    };
  }

  /**
   * The samples held now; their scores can be resampled at any later time.
   *
   * @throws `invalid-argument` if channel values are missing, or some have become sums
   */
  snapshot(samples: number): ChannelSnapshot {
    const rows = this.#rows(samples, 'Standard errors and p-values of channel scores');
    return { rows, groups: this.#groups, threads: this.#threads };
  }

  /** The rows of all samples. @param what needs them, for the error @throws `invalid-argument` */
  #rows(samples: number, what: string): ChannelRows {
    this.#checkHeld(samples, what);
    const rows = this.#store.rows();
    if (rows !== undefined) return rows;
    const { maxBytes } = this.settings;
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `${what} need the channel values of each of the ${samples} samples, but only their sums are held: the values took more than the ${maxBytes} bytes of channels.maxBytes, or came from a file of sums. Create the inferer with channels: { maxBytes } for more.`,
      { details: { option: 'channels.maxBytes', maxBytes, samples } },
    );
  }

  /** Frees what is held. Idempotent. */
  release(): void {
    this.clear();
    this.#threads.release();
  }

  get #groups() {
    return this.#shape.channelGroups!;
  }

  #stopKeeping(why: string): void {
    this.#store.clear();
    this.#stopReason = why;
    this.#cache.clear();
  }
}
