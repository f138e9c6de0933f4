import type { BlockRequest, ChannelBlock } from '../engine/channels/channel-blocks.ts';
import type { PairMagnitudes, PairRequest } from '../engine/channels/pair-magnitudes.ts';
import type { ChannelFacts, Channels, ChannelSnapshot } from '../engine/channels/channels.ts';
import type { EngineChoice } from '../engine/create.ts';
import type { ChannelBatch, MagnitudeBatch } from '../engine/engine.ts';
import { checkChannelBatch } from '../engine/check-channel-batch.ts';
import { scoreMagnitudes, scoreRanks } from '../engine/score-magnitudes.ts';
import { openConditionalScores } from '../engine/select-magnitudes.ts';
import { refusalInModelTerms, refusedBatch } from '../engine/sample-counter.ts';
import type { ResamplingSnapshot, Uncertainty, UncertaintyFacts } from '../resampling/uncertainty.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { FitSettings } from './fit-settings.ts';
import { HeldStatistics } from './held-statistics.ts';
import type { ChannelRequest } from '../scoring/channel/request.ts';
import { checkMagnitudeRequest, type MagnitudeRequest } from '../scoring/magnitude-request.ts';
import type { Scores } from '../engine/scores/scores.ts';
import type { ConditionalScores } from '../scoring/select-edges.ts';
import { SerialQueue } from '../serial-queue.ts';
import type { ChannelValuesBatch } from '../statistics/channel-record.ts';
import type { FitState } from '../statistics/fit-state.ts';
import type { SavedChannels } from '../statistics/saved-channels.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';

/** Scores, and the samples they are computed from. */
export interface ScoredSamples<S = ResamplingSnapshot> {
  /** n */
  readonly samples: number;
  /** The samples behind the scores, if uncertainty was requested */
  readonly snapshot: S | undefined;
  /** Owned by the caller until released */
  readonly scores: Scores;
}

/** What a fit holds: its statistics, and what is kept alongside. */
export interface StatisticsState {
  readonly statistics: SufficientStatistics;
  readonly uncertainty: FitState<UncertaintyFacts> | undefined;
  readonly channels: FitState<ChannelFacts> | undefined;
}

/**
 * The statistics of an inferer: an engine, the magnitudes kept alongside for uncertainty, and the number of samples in
 * both. All access goes through one queue: no call sees half a batch, or samples added after it was made.
 */
export class InfererStatistics {
  readonly uncertainty: Uncertainty | undefined;
  readonly channels: Channels | undefined;
  readonly #open: () => Promise<EngineChoice>;
  #choice: EngineChoice;
  readonly #functionNames: readonly string[];
  readonly #queue = new SerialQueue();
  #held: HeldStatistics;

  /**
   * @param open opens another engine when the device of this one is lost
   * @param functionNames names of the engine's nodes, for messages
   */
  constructor(
    choice: EngineChoice,
    open: () => Promise<EngineChoice>,
    { uncertainty, channels }: { uncertainty: Uncertainty | undefined; channels: Channels | undefined },
    functionNames: readonly string[],
    settings: FitSettings,
  ) {
    this.#choice = choice;
    this.#open = open;
    this.uncertainty = uncertainty;
    this.channels = channels;
    this.#functionNames = functionNames;
    this.#held = new HeldStatistics(settings);
  }

  get choice(): EngineChoice {
    return this.#choice;
  }

  /** What calls made now refer to. */
  get held(): HeldStatistics {
    return this.#held;
  }

  /** If the engine's device is lost, starts over with another engine and no samples; otherwise does nothing. */
  async recover(): Promise<void> {
    if (!this.#choice.lost) return;
    this.#held = new HeldStatistics(this.#held.settings);
    await this.#queue.run(async () => {
      const lost = this.#choice;
      this.#choice = await this.#open();
      this.uncertainty?.moveTo(this.#choice.engine);
      this.channels?.clear();
      // At most it reports again that the device is lost.
      await Promise.allSettled([lost.release()]);
    });
  }

  /** Calls from now on see no samples; the engine drops those it holds when the queue gets there. */
  startAnew(settings: FitSettings): void {
    this.#held = new HeldStatistics(settings);
    void this.#queue.run(() => {
      this.uncertainty?.clear();
      this.channels?.clear();
      this.#choice.engine.reset();
    });
  }

  /** Restarts an engine from the statistics it holds, since it accepts nothing more after a refusal. */
  forgetRefusal(): Promise<void> {
    const held = this.#held;
    return this.#queue.run(() => this.#forgetRefusal(held));
  }

  /**
   * Accumulates a batch.
   * @param magnitudes those that uncertainty has read from it
   * @param channelValues to be kept
   * @throws what the engine throws; the signal's reason if it is aborted before the queue gets here: scores may have
   * come first
   */
  accumulate(
    batch: ChannelBatch | MagnitudeBatch,
    magnitudes: MagnitudeBatch | undefined,
    channelValues: ChannelValuesBatch | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const held = this.#held;
    return this.#queue.run(async () => {
      signal?.throwIfAborted();
      const { engine } = this.#choice;
      // The kept values may be the batch's own arrays.
      const engineBatch = channelValues ? { ...batch, transferable: false } : batch;
      await ('x' in engineBatch ? engine.accumulateMagnitudes(engineBatch) : engine.accumulate(engineBatch));
      held.tally.add(batch.size);
      if (magnitudes) this.uncertainty?.keep(magnitudes);
      if (channelValues) await this.channels?.keep(channelValues, () => this.#choice.engine.flush());
    });
  }

  /** Keeps channel values of samples that were accumulated as magnitudes. @throws `batch-mismatch`, `out-of-memory` */
  addChannelValues(batch: ChannelBatch): Promise<void> {
    const held = this.#held;
    const channels = this.#keptChannels('Channel values');
    return this.#queue.run(async () => {
      await this.#samplesIn(held);
      checkChannelBatch(this.#choice.engine.shape, batch, 0);
      const values = await channels.read(batch);
      if (values) await channels.keep(values, () => Promise.resolve());
    });
  }

  /** n, once every batch has been checked. */
  flush(): Promise<number> {
    return this.#queue.run(() => this.#choice.engine.flush());
  }

  /** Scores of the samples held at the time of the call, including a batch that is being accumulated. */
  score(request: MagnitudeRequest, uncertainty: Uncertainty | undefined): Promise<ScoredSamples> {
    const held = this.#held;
    return this.#queue.run(async () => {
      request.signal?.throwIfAborted();
      const samples = await this.#samplesIn(held);
      const snapshot = uncertainty?.snapshot();
      return { samples, snapshot, scores: await this.#scores(request, samples) };
    });
  }

  async #scores(request: MagnitudeRequest, samples: number): Promise<Scores> {
    const { engine } = this.#choice;
    checkMagnitudeRequest(request, engine.shape.nodes, samples);
    if (request.correlation !== 'spearman') return scoreMagnitudes(engine, request);
    const magnitudes = this.#keptChannels("Spearman's correlations").magnitudes(samples);
    return scoreRanks(magnitudes, engine.shape, request);
  }

  /**
   * Runs work with scores that change as edges are selected, from the samples held at the time of the call. No batch is
   * accumulated meanwhile.
   */
  select<T>(
    request: MagnitudeRequest,
    work: (scores: ConditionalScores) => Promise<T>,
  ): Promise<{ readonly samples: number; readonly result: T }> {
    const held = this.#held;
    return this.#queue.run(async () => {
      request.signal?.throwIfAborted();
      const samples = await this.#samplesIn(held);
      const { engine } = this.#choice;
      const magnitudes = () => this.#keptChannels("Spearman's correlations").magnitudes(samples);
      const { scores, release } = await openConditionalScores(engine, samples, request, magnitudes);
      try {
        return { samples, result: await work(scores) };
      } finally {
        await release();
      }
    });
  }

  /**
   * As {@link InfererStatistics.select}, with channel scores. @throws `invalid-argument` if channel values are not kept
   */
  selectChannels<T>(
    request: ChannelRequest,
    work: (scores: ConditionalScores) => Promise<T>,
  ): Promise<{ readonly samples: number; readonly result: T }> {
    const held = this.#held;
    const channels = this.#keptChannels('Channel scores');
    return this.#queue.run(async () => {
      request.signal?.throwIfAborted();
      const samples = await this.#samplesIn(held);
      return { samples, result: await work(await channels.conditional(request, samples)) };
    });
  }

  /**
   * As {@link InfererStatistics.score}, for channel scores. @throws `invalid-argument` if channel values are not kept
   */
  scoreChannels(request: ChannelRequest, withSnapshot: boolean): Promise<ScoredSamples<ChannelSnapshot>> {
    const held = this.#held;
    const channels = this.#keptChannels('Channel scores');
    return this.#queue.run(async () => {
      request.signal?.throwIfAborted();
      const samples = await this.#samplesIn(held);
      const scores = await channels.scores(request, samples);
      return { samples, snapshot: withSnapshot ? channels.snapshot(samples) : undefined, scores };
    });
  }

  /**
   * Blocks of channel scores, of the samples held at the time of the call. @throws `invalid-argument` if channel values
   * are not kept
   */
  async channelBlocks(request: BlockRequest): Promise<ChannelBlock[]> {
    const held = this.#held;
    const channels = this.#keptChannels('Channel blocks');
    const blocks = await this.#queue.run(async () => channels.blocks(await this.#samplesIn(held)));
    return blocks(request);
  }

  /** Magnitudes of one pair, of the first samples held. @throws `invalid-argument` if channel values are not kept */
  pairMagnitudes(request: PairRequest): Promise<PairMagnitudes> {
    const held = this.#held;
    const channels = this.#keptChannels('Magnitudes of a pair');
    return this.#queue.run(async () => channels.pairMagnitudes(await this.#samplesIn(held), request));
  }

  /** A copy of the statistics held. */
  read(): Promise<SufficientStatistics> {
    return this.#queue.run(() => this.#choice.engine.statistics());
  }

  /** As {@link InfererStatistics.read}, with the channel values of the same samples. @throws `invalid-argument` */
  readWithChannels(): Promise<{ statistics: SufficientStatistics; channels: SavedChannels }> {
    const channels = this.#keptChannels('Statistics with channels');
    return this.#queue.run(async () => {
      const statistics = await this.#choice.engine.statistics();
      return { statistics, channels: await channels.saved(statistics.samples) };
    });
  }

  /** Everything that a fit holds, once every batch has been checked; arrays are copies or will not change. */
  state(): Promise<StatisticsState> {
    return this.#queue.run(async () => {
      await this.#choice.engine.flush();
      const statistics = await this.#choice.engine.statistics();
      return { statistics, uncertainty: this.uncertainty?.state, channels: this.channels?.state };
    });
  }

  /** Restores {@link InfererStatistics.state}; nothing may be held. @throws RangeError if arrays are missing */
  restore({ statistics, uncertainty, channels }: StatisticsState): Promise<void> {
    const held = this.#held;
    return this.#queue.run(async () => {
      await this.#choice.engine.merge(statistics);
      held.tally.addMerged(statistics.samples);
      if (uncertainty) this.uncertainty?.restore(uncertainty);
      if (channels) this.channels?.restore(channels);
    });
  }

  /** Adds statistics over other samples, and their channel values if there are any. */
  merge(statistics: SufficientStatistics, channels?: SavedChannels): Promise<void> {
    const held = this.#held;
    return this.#queue.run(async () => {
      await this.#forgetRefusal(held);
      await this.#choice.engine.merge(statistics);
      held.tally.addMerged(statistics.samples);
      this.uncertainty?.noteMerged(statistics.samples);
      await this.channels?.merge(statistics.samples, channels);
    });
  }

  /**
   * Uncounts a refused batch and all later ones; returns other errors unchanged.
   * @param firstBatch the engine's number of the batch that messages call 0
   * @returns the error in the model's terms
   */
  noteRefusal(held: HeldStatistics, error: unknown, firstBatch: number): unknown {
    const batch = refusedBatch(error);
    if (batch === undefined) return error;
    held.refused = true;
    held.tally.discardFrom(batch);
    this.uncertainty?.truncate(held.tally.samples);
    this.channels?.truncate(held.tally.samples);
    return refusalInModelTerms(error as MagnitudeEdgeError, this.#functionNames, firstBatch);
  }

  /** Frees the engine once all earlier calls have ended. */
  release(): Promise<void> {
    return this.#queue.run(async () => {
      await this.uncertainty?.release();
      this.channels?.release();
      await this.#choice.release();
    });
  }

  /** @param what needs them, for the error */
  #keptChannels(what: string): Channels {
    if (this.channels !== undefined) return this.channels;
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `${what} need the channel values of the samples, but the inferer was created with channels: false.`,
      { details: { option: 'channels' } },
    );
  }

  async #samplesIn(held: HeldStatistics): Promise<number> {
    try {
      return await this.#choice.engine.flush();
    } catch (error) {
      if (refusedBatch(error) === undefined) throw error;
      this.noteRefusal(held, error, 0);
      return held.tally.samples;
    }
  }

  async #forgetRefusal(held: HeldStatistics): Promise<void> {
    if (!held.refused) return;
    const { engine } = this.#choice;
    const statistics = await engine.statistics();
    engine.reset();
    await engine.merge(statistics);
    held.tally.clear();
    held.tally.addMerged(statistics.samples);
    held.refused = false;
  }
}
