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

/** Scores, and what they are of. */
export interface ScoredSamples<S = ResamplingSnapshot> {
  /** n */
  readonly samples: number;
  /** The samples behind the scores, where uncertainty was asked for */
  readonly snapshot: S | undefined;
  /** The caller's, until released */
  readonly scores: Scores;
}

/** What a fit holds: its statistics, and what is kept beside them. */
export interface StatisticsState {
  readonly statistics: SufficientStatistics;
  readonly uncertainty: FitState<UncertaintyFacts> | undefined;
  readonly channels: FitState<ChannelFacts> | undefined;
}

/**
 * The statistics of an inferer: an engine, the magnitudes kept beside it for uncertainty, and the count of the samples in
 * both. All that touches them waits its turn in one queue: no call sees half a batch, or samples that were not there when
 * it was made.
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
   * @param open opens another engine, where the device of this one is lost
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

  /** What calls made now are of. */
  get held(): HeldStatistics {
    return this.#held;
  }

  /** Where the engine's device is lost, begins anew with another engine: no samples. Else does nothing. */
  async recover(): Promise<void> {
    if (!this.#choice.lost) return;
    this.#held = new HeldStatistics(this.#held.settings);
    await this.#queue.run(async () => {
      const lost = this.#choice;
      this.#choice = await this.#open();
      this.uncertainty?.moveTo(this.#choice.engine);
      this.channels?.clear();
      // It says again that the device is gone, if anything.
      await Promise.allSettled([lost.release()]);
    });
  }

  /** No samples, for calls from now on; the engine forgets those that it holds in its turn. */
  startAnew(settings: FitSettings): void {
    this.#held = new HeldStatistics(settings);
    void this.#queue.run(() => {
      this.uncertainty?.clear();
      this.channels?.clear();
      this.#choice.engine.reset();
    });
  }

  /** An engine takes nothing more after a refusal: lets it start over from the statistics that it holds. */
  forgetRefusal(): Promise<void> {
    const held = this.#held;
    return this.#queue.run(() => this.#forgetRefusal(held));
  }

  /**
   * Takes a batch in.
   * @param magnitudes what uncertainty has read of it
   * @param channelValues what is kept of its channels
   * @throws what the engine throws; the signal's reason, where it is aborted by then: scores may have come first
   */
  take(
    batch: ChannelBatch | MagnitudeBatch,
    magnitudes: MagnitudeBatch | undefined,
    channelValues: ChannelValuesBatch | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const held = this.#held;
    return this.#queue.run(async () => {
      signal?.throwIfAborted();
      const { engine } = this.#choice;
      // What is kept may be the batch's own arrays.
      const taken = channelValues ? { ...batch, transferable: false } : batch;
      await ('x' in taken ? engine.accumulateMagnitudes(taken) : engine.accumulate(taken));
      held.tally.add(batch.size);
      if (magnitudes) this.uncertainty?.keep(magnitudes);
      if (channelValues) await this.channels?.keep(channelValues, () => this.#choice.engine.flush());
    });
  }

  /** Keeps channel values of samples that were taken in as magnitudes. @throws `batch-mismatch`, `out-of-memory` */
  addChannelValues(batch: ChannelBatch): Promise<void> {
    const held = this.#held;
    const channels = this.#kept('Channel values');
    return this.#queue.run(async () => {
      await this.#samplesIn(held);
      checkChannelBatch(this.#choice.engine.shape, batch, 0);
      const values = await channels.read(batch);
      if (values) await channels.keep(values, () => Promise.resolve());
    });
  }

  /** n, once every batch has been looked at. */
  flush(): Promise<number> {
    return this.#queue.run(() => this.#choice.engine.flush());
  }

  /** Scores of the samples held when it is called, and of a batch that is being taken in. */
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
    const magnitudes = this.#kept("Spearman's correlations").magnitudes(samples);
    return scoreRanks(magnitudes, engine.shape, request);
  }

  /**
   * Does something with scores that change as edges are taken in, of the samples held when it is called; no batch is taken in
   * meanwhile.
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
      const magnitudes = () => this.#kept("Spearman's correlations").magnitudes(samples);
      const { scores, release } = await openConditionalScores(engine, samples, request, magnitudes);
      try {
        return { samples, result: await work(scores) };
      } finally {
        await release();
      }
    });
  }

  /** As {@link InfererStatistics.select}, with scores of channels. @throws `invalid-argument` where they are not kept */
  selectChannels<T>(
    request: ChannelRequest,
    work: (scores: ConditionalScores) => Promise<T>,
  ): Promise<{ readonly samples: number; readonly result: T }> {
    const held = this.#held;
    const channels = this.#kept('Channel scores');
    return this.#queue.run(async () => {
      request.signal?.throwIfAborted();
      const samples = await this.#samplesIn(held);
      return { samples, result: await work(await channels.conditional(request, samples)) };
    });
  }

  /** As {@link InfererStatistics.score}, for scores of channels. @throws `invalid-argument` where they are not kept */
  scoreChannels(request: ChannelRequest, withSnapshot: boolean): Promise<ScoredSamples<ChannelSnapshot>> {
    const held = this.#held;
    const channels = this.#kept('Channel scores');
    return this.#queue.run(async () => {
      request.signal?.throwIfAborted();
      const samples = await this.#samplesIn(held);
      const scores = await channels.scores(request, samples);
      return { samples, snapshot: withSnapshot ? channels.snapshot(samples) : undefined, scores };
    });
  }

  /** Blocks of channel scores, of the samples held when it is called. @throws `invalid-argument` where they are not kept */
  async channelBlocks(request: BlockRequest): Promise<ChannelBlock[]> {
    const held = this.#held;
    const channels = this.#kept('Channel blocks');
    const blocks = await this.#queue.run(async () => channels.blocks(await this.#samplesIn(held)));
    return blocks(request);
  }

  /** Magnitudes of one pair, of the first samples held. @throws `invalid-argument` where channel values are not kept */
  pairMagnitudes(request: PairRequest): Promise<PairMagnitudes> {
    const held = this.#held;
    const channels = this.#kept('Magnitudes of a pair');
    return this.#queue.run(async () => channels.pairMagnitudes(await this.#samplesIn(held), request));
  }

  /** A copy of the statistics held. */
  read(): Promise<SufficientStatistics> {
    return this.#queue.run(() => this.#choice.engine.statistics());
  }

  /** As {@link InfererStatistics.read}, with the channel values of the same samples. @throws `invalid-argument` */
  readWithChannels(): Promise<{ statistics: SufficientStatistics; channels: SavedChannels }> {
    const channels = this.#kept('Statistics with channels');
    return this.#queue.run(async () => {
      const statistics = await this.#choice.engine.statistics();
      return { statistics, channels: await channels.saved(statistics.samples) };
    });
  }

  /** All that a fit holds, once every batch has been looked at; arrays are copies or will not change. */
  state(): Promise<StatisticsState> {
    return this.#queue.run(async () => {
      await this.#choice.engine.flush();
      const statistics = await this.#choice.engine.statistics();
      return { statistics, uncertainty: this.uncertainty?.state, channels: this.channels?.state };
    });
  }

  /** Takes up what {@link InfererStatistics.state} was; nothing may be held. @throws RangeError where arrays are missing */
  restore({ statistics, uncertainty, channels }: StatisticsState): Promise<void> {
    const held = this.#held;
    return this.#queue.run(async () => {
      await this.#choice.engine.merge(statistics);
      held.tally.addMerged(statistics.samples);
      if (uncertainty) this.uncertainty?.restore(uncertainty);
      if (channels) this.channels?.restore(channels);
    });
  }

  /** Adds statistics over other samples, and their channel values where there are any. */
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
   * Counts no batch from a refused one on; other errors pass.
   * @param firstBatch the engine's number of the batch that messages call 0
   * @returns the error in the words of the model
   */
  noteRefusal(held: HeldStatistics, error: unknown, firstBatch: number): unknown {
    const batch = refusedBatch(error);
    if (batch === undefined) return error;
    held.refused = true;
    held.tally.takeBackFrom(batch);
    this.uncertainty?.truncate(held.tally.samples);
    this.channels?.truncate(held.tally.samples);
    return refusalInModelTerms(error as MagnitudeEdgeError, this.#functionNames, firstBatch);
  }

  /** Frees the engine in its turn. */
  release(): Promise<void> {
    return this.#queue.run(async () => {
      await this.uncertainty?.release();
      this.channels?.release();
      await this.#choice.release();
    });
  }

  /** @param what needs them, for the error */
  #kept(what: string): Channels {
    if (this.channels !== undefined) return this.channels;
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `${what} need the channel values of the samples, and the inferer was created with channels: false.`,
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
    const kept = await engine.statistics();
    engine.reset();
    await engine.merge(kept);
    held.tally.clear();
    held.tally.addMerged(kept.samples);
    held.refused = false;
  }
}
