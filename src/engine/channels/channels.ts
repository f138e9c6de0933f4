import { MagnitudeEdgeError } from '../../errors.ts';
import { borrow } from '../../gpu/buffer.ts';
import { adoptDevice } from '../../gpu/device.ts';
import { readBack } from '../../gpu/readback.ts';
import { canShare, SharedArrays } from '../../scores/array-source.ts';
import { aggregateChannels } from '../../scores/channel/aggregate.ts';
import { checkChannelRequest, type ChannelRequest } from '../../scores/channel/request.ts';
import { HostScores } from '../../scores/host-scores.ts';
import type { ResampledScores, ResamplePlan } from '../../scores/resampled-scores.ts';
import type { Scores } from '../../scores/scores.ts';
import { ChannelRecord, type ChannelRows, type ChannelValuesBatch } from '../../statistics/channel-record.ts';
import {
  batchOfSaved,
  channelCounts,
  sameCounts,
  savedChannels,
  type SavedChannels,
} from '../../statistics/saved-channels.ts';
import type { ChannelBatch, ChannelValues, EngineShape } from '../engine.ts';
import { channelScores, type ChannelMatrices } from './channel-scores.ts';
import { ChannelThreads } from './channel-threads.ts';
import type { AllMagnitudes } from '../score-magnitudes.ts';
import { magnitudesOfChannels } from './channel-magnitudes.ts';
import { resampleChannels } from './resample-channels.ts';

/** Whether channel values are kept beside the statistics of magnitudes. */
export interface ChannelOptions {
  /** Most bytes of channel values, 8 P C a sample. Default 2^30. */
  readonly maxBytes?: number | undefined;
}

/** {@link ChannelOptions} with nothing left out. */
export interface ChannelSettings {
  /** Whether a fit that finds no room for them fails, or goes on without */
  readonly required: boolean;
  readonly maxBytes: number;
}

const DEFAULT_MAX_BYTES = 2 ** 30;

/**
 * Checks the option.
 *
 * @returns undefined where nothing is to be kept
 * @throws `invalid-argument`
 */
export function channelSettings(
  option: 'auto' | boolean | ChannelOptions = 'auto',
): ChannelSettings | undefined {
  if (option === false) return undefined;
  const { maxBytes = DEFAULT_MAX_BYTES } = typeof option === 'object' ? option : {};
  if (option !== 'auto' && option !== true && typeof option !== 'object') {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `channels must be 'auto', true, false or { maxBytes } and is ${JSON.stringify(option)}.`,
      { details: { option: 'channels' } },
    );
  }
  if (!(Number.isSafeInteger(maxBytes) && maxBytes >= 1)) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `channels.maxBytes must be a whole number of at least 1 and is ${String(maxBytes)}.`,
      { details: { option: 'channels.maxBytes', found: maxBytes } },
    );
  }
  return { required: option !== 'auto', maxBytes };
}

/** Samples that channel scores are of. */
export interface ChannelEvidence {
  /**
   * What resampling says of scores; see {@link resampleChannels}.
   *
   * @throws `too-few-samples`, `out-of-memory`; the signal's reason once it is aborted
   */
  resample(
    scores: Scores,
    request: ChannelRequest,
    plan: ResamplePlan,
    onResample?: (done: number, total: number) => void,
  ): Promise<ResampledScores>;
}

/**
 * Keeps the channel values of the samples that an engine sees, and scores them. Works beside an engine: what that computes
 * does not change.
 *
 * For each batch: {@link Channels.read}, then the engine, then {@link Channels.keep}; so that nothing is kept of a batch that
 * the engine refuses.
 */
export class Channels {
  readonly #shape: EngineShape & { readonly channels: number };
  readonly #settings: ChannelSettings;
  readonly #deviceNow: () => GPUDevice | undefined;
  readonly #record: ChannelRecord;
  readonly #threads: ChannelThreads;
  /** Why nothing is kept any more; undefined while it is */
  #left: string | undefined;
  /** Samples held that came from files without channels */
  #merged = 0;
  #last: { readonly key: string; readonly matrices: ChannelMatrices } | undefined;
  /** Counts changes of the samples: scores asked for before one are not of those after it */
  #version = 0;

  /** @param deviceNow gives the device of values that come as GPU buffers */
  constructor(
    settings: ChannelSettings,
    shape: EngineShape,
    deviceNow: () => GPUDevice | undefined = () => undefined,
  ) {
    const { channels, pairs } = shape;
    if (channels === undefined) throw new TypeError('Channels beside an engine for magnitudes alone.');
    this.#settings = settings;
    this.#shape = { ...shape, channels };
    this.#deviceNow = deviceNow;
    const shared = canShare() ? new SharedArrays() : undefined;
    this.#record = new ChannelRecord(
      pairs,
      channels,
      shared && ((length) => shared.take(Float32Array, length)),
    );
    this.#threads = new ChannelThreads();
  }

  /** What is worth telling of them, for diagnostics */
  get notes(): readonly string[] {
    return [this.#left, this.#threads.note].filter((note) => note !== undefined && note !== '') as string[];
  }

  /**
   * The channel values of a batch on the host, with room for them in the record; undefined where nothing is kept. From a GPU
   * that costs one readback of 8 P C bytes a sample.
   *
   * @throws `out-of-memory` where they find no room and must be kept; `device-lost`, `gpu-validation`
   */
  async read({ size, activations, gradients }: ChannelBatch): Promise<ChannelValuesBatch | undefined> {
    if (this.#left !== undefined || !this.#hasRoom(size)) return undefined;
    const values = await this.#onHost([...activations, ...gradients], size);
    const { pairs } = this.#shape;
    return { size, activations: values.slice(0, pairs), gradients: values.slice(pairs) };
  }

  /** Whether there is room for so many samples more; where not, those there are are let go. @throws `out-of-memory` */
  #hasRoom(size: number): boolean {
    const { maxBytes, required } = this.#settings;
    const samples = this.#record.samples + size;
    const bytes = this.#record.bytesOf(samples);
    if (bytes > maxBytes) {
      const why = `The channel values of ${samples} samples take ${bytes} bytes, and there are ${maxBytes} for them`;
      const details = { option: 'channels.maxBytes', samples, bytes, maxBytes };
      if (required) {
        throw new MagnitudeEdgeError(
          'out-of-memory',
          `${why}: create the inferer with channels: { maxBytes: ${bytes} } or more, or with channels: false.`,
          { details },
        );
      }
      this.#letGo(why);
      return false;
    }
    return true;
  }

  /** Keeps what {@link Channels.read} gave for the batch that the engine has taken since. @throws `out-of-memory` */
  keep(batch: ChannelValuesBatch): void {
    this.#changed();
    try {
      this.#record.add(batch);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      const samples = this.#record.samples + batch.size;
      const why = `The channel values of ${samples} samples, ${this.#record.bytesOf(samples)} bytes, found no room`;
      // The engine has counted the batch.
      this.#letGo(why);
      if (this.#settings.required) throw new MagnitudeEdgeError('out-of-memory', `${why}.`, { cause });
    }
  }

  /**
   * The engine now holds samples of a statistics file, too, with their channel values or without.
   *
   * @throws `graph-mismatch` for other numbers of channels, `out-of-memory` where they find no room and must be kept
   */
  merge(samples: number, saved: SavedChannels | undefined): void {
    if (saved === undefined || this.#left !== undefined || !this.#hasRoom(saved.samples)) {
      this.#merged += samples;
      this.#changed();
      return;
    }
    this.keep(batchOfSaved(saved, this.#groups, this.#shape.channels));
  }

  /** Checks that saved channel values are of nodes with as many channels. @throws `graph-mismatch` */
  checkLayout(saved: SavedChannels): void {
    const expected = channelCounts(this.#groups);
    if (sameCounts(expected, saved.counts)) return;
    const node = expected.findIndex((count, at) => count !== saved.counts[at]);
    throw new MagnitudeEdgeError(
      'graph-mismatch',
      `The statistics file has ${saved.counts[node]} channels of function node ${node}, and the model has ${expected[node]}.`,
      { details: { node, expected: expected[node]!, found: saved.counts[node] ?? 0 } },
    );
  }

  /** A copy of the channel values of all samples that the engine holds, for a file. @throws as {@link Channels.rows} */
  saved(samples: number): SavedChannels {
    return savedChannels(this.rows(samples), this.#groups);
  }

  /** The engine holds so many samples in all: it has refused a batch that it had already taken. */
  truncate(samples: number): void {
    this.#record.truncate(samples - this.#merged);
    this.#changed();
  }

  /** Forgets all samples. Scores that are being computed go on. */
  clear(): void {
    this.#record.clear();
    this.#merged = 0;
    this.#left = undefined;
    this.#changed();
  }

  /**
   * The rows of all samples that the engine holds.
   *
   * @param samples n, the engine's
   * @param what needs them, for the error
   * @throws `invalid-argument` where there are others
   */
  rows(samples: number, what = 'Channel scores'): ChannelRows {
    if (this.#record.samples === samples) return this.#record.view();
    throw new MagnitudeEdgeError(
      'invalid-argument',
      this.#left === undefined
        ? `${what} need the channel values of all samples, and ${this.#merged} of the ${samples} that the statistics hold came from a statistics file without them: fit all samples here.`
        : `${what} need the channel values of the samples, which were let go. ${this.#left}: create the inferer with channels: { maxBytes } for more.`,
      { details: { option: 'channels', samples, kept: this.#record.samples } },
    );
  }

  /**
   * Scores of all ordered pairs from the samples held; the caller's, until released. The last ones are kept.
   *
   * @throws as {@link Channels.rows} and `checkChannelRequest`
   */
  async scores(request: ChannelRequest, samples: number): Promise<Scores> {
    checkChannelRequest(request, samples);
    const rows = this.rows(samples);
    const { layerAgg, lambda, varianceFloor } = request;
    // Another aggregation of the layer pairs costs no regression.
    const key = JSON.stringify([layerAgg === 'pooled', lambda, varianceFloor, this.#version]);
    let matrices = this.#last?.key === key ? this.#last.matrices : undefined;
    if (matrices === undefined) {
      matrices = await channelScores(rows, this.#groups, request, this.#threads);
      this.#last = { key, matrices };
    } else if (layerAgg !== 'pooled') {
      matrices = { ...matrices, aggregated: aggregateChannels(matrices.perPair, layerAgg) };
    }
    return new HostScores(matrices, { pairs: this.#shape.pairs });
  }

  /**
   * Magnitudes of all samples that the engine holds, in float64, formed anew.
   *
   * @throws as {@link Channels.rows}
   */
  magnitudes(samples: number): AllMagnitudes {
    const rows = this.rows(samples, "Spearman's correlations");
    return magnitudesOfChannels(rows, this.#groups, this.#shape.reduction);
  }

  /** The samples held now: scores of them can be resampled at any later time. @throws as {@link Channels.rows} */
  evidence(samples: number): ChannelEvidence {
    const rows = this.rows(samples);
    return {
      resample: async (scores, request, plan, onResample) =>
        resampleChannels(
          rows,
          this.#groups,
          await scores.aggregate(),
          request,
          plan,
          this.#threads,
          onResample,
        ),
    };
  }

  /** Frees what is held. Idempotent. */
  release(): void {
    this.clear();
    this.#threads.release();
  }

  get #groups() {
    return this.#shape.channelGroups!;
  }

  #letGo(why: string): void {
    this.#record.clear();
    this.#left = why;
    this.#changed();
  }

  #changed(): void {
    this.#version++;
    this.#last = undefined;
  }

  async #onHost(values: readonly ChannelValues[], size: number): Promise<Float32Array[]> {
    const onHost = values.filter((value) => value instanceof Float32Array);
    if (onHost.length === values.length) return onHost;
    const device = this.#deviceNow();
    if (device === undefined) throw new TypeError('Values on a GPU need its device.');
    const bytes = 4 * size * this.#shape.channels;
    const views = values.map((value) => borrow(value as GPUBuffer, 0, bytes));
    const read = await readBack(adoptDevice(device), views);
    return read.map((buffer) => new Float32Array(buffer));
  }
}
