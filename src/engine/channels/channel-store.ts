import { canShare, SharedArrays } from '../../scoring/array-pool.ts';
import { channelMoments } from '../../scoring/channel/system.ts';
import { ChannelRecord, type ChannelRows, type ChannelValuesBatch } from '../../statistics/channel-record.ts';
import {
  addChannelSums,
  channelMatrices,
  channelVectors,
  channelSumsBytes,
  emptyChannelSums,
  type ChannelSums,
} from '../../statistics/channel-sums.ts';
import {
  batchOfSaved,
  channelCounts,
  savedChannels,
  type SavedChannels,
} from '../../statistics/saved-channels.ts';
import { arraysOfPairs, pairsOfArrays, stateArrays, type FitState } from '../../statistics/fit-state.ts';
import type { RaggedIndices } from '../../statistics/ragged.ts';
import type { ChannelThreads } from './channel-threads.ts';

/** What fits: more rows; more rows, once the present ones have been added to the sums; or nothing. */
export type StorableAs = 'rows' | 'sums' | 'none';

/** Facts that {@link ChannelStore.state} records in addition to its arrays. */
export interface ChannelStoreFacts {
  /** Samples kept as rows */
  readonly rows: number;
  /** Samples in the sums, if there are any */
  readonly summed?: number;
}

const channelArrays = [...channelVectors, ...channelMatrices];

/**
 * Channel values of samples. They are kept as rows, 8 P C bytes each, as long as these fit; after that as sums of K x K
 * channels, 16 P K^2 bytes for any number of samples, and the most recent rows.
 */
export class ChannelStore {
  readonly #pairs: number;
  /** Channels of each node */
  readonly #groups: RaggedIndices;
  readonly #threads: ChannelThreads;
  readonly #shared = canShare() ? new SharedArrays() : undefined;
  readonly #record: ChannelRecord;
  #sums: ChannelSums | undefined;

  /** @param pairs P @param channels C */
  constructor(pairs: number, channels: number, groups: RaggedIndices, threads: ChannelThreads) {
    this.#pairs = pairs;
    this.#groups = groups;
    this.#threads = threads;
    const shared = this.#shared;
    this.#record = new ChannelRecord(
      pairs,
      channels,
      shared && ((length) => shared.alloc(Float32Array, length)),
    );
  }

  /** n */
  get samples(): number {
    return (this.#sums?.samples ?? 0) + this.#record.samples;
  }

  /** Whether samples have been absorbed into sums */
  get summed(): boolean {
    return this.#sums !== undefined;
  }

  /** Bytes of the rows with `samples` more of them. */
  bytesWith(samples: number): number {
    return this.#record.bytesOf(this.#record.samples + samples);
  }

  /** What fits in `bytes`, with `samples` more samples. */
  storableAs(samples: number, bytes: number): StorableAs {
    const sums = channelSumsBytes(this.#pairs, this.#groups.indices.length);
    if (this.bytesWith(samples) + (this.summed ? sums : 0) <= bytes) return 'rows';
    return sums + this.#record.bytesOf(samples) <= bytes ? 'sums' : 'none';
  }

  /** Keeps a copy. @throws RangeError if memory runs out; nothing of the batch is kept then */
  add(batch: ChannelValuesBatch): void {
    this.#record.add(batch);
  }

  /** Adds the rows to the sums. They cannot be removed from then on. @throws `out-of-memory` */
  async absorb(): Promise<void> {
    const rows = this.#record.view();
    if (rows.samples === 0) return;
    const sums = (this.#sums ??= this.#newSums(
      rows.pairs.map(({ x }) => {
        const { mean } = channelMoments(x, rows.channels);
        return Float64Array.from(this.#groups.indices, (channel) => mean[channel]!);
      }),
    ));
    await this.#threads.absorb(sums.pairs, rows, this.#groups.indices);
    this.#sums = { ...sums, samples: sums.samples + rows.samples };
    this.#record.clear();
  }

  /** All samples at present: as rows if all of them are rows, otherwise as sums. */
  async held(): Promise<ChannelRows | ChannelSums> {
    if (this.#sums === undefined) return this.#record.view();
    await this.absorb();
    return this.#sums;
  }

  /** The rows of all samples; undefined if some have been absorbed into sums. */
  rows(): ChannelRows | undefined {
    return this.summed ? undefined : this.#record.view();
  }

  /** A copy for a file. */
  async saved(): Promise<SavedChannels> {
    const held = await this.held();
    if (!('sumXX' in held.pairs[0]!)) return savedChannels(held as ChannelRows, this.#groups);
    const sums = addChannelSums(
      emptyChannelSums((held as ChannelSums).pairs.map(({ pivot }) => pivot)),
      held as ChannelSums,
    );
    return { samples: sums.samples, counts: channelCounts(this.#groups), sums };
  }

  /** Adds the contents of a file. Values must fit as rows. @throws `out-of-memory`, RangeError */
  async merge(saved: SavedChannels): Promise<void> {
    if (!('sums' in saved)) {
      this.add(batchOfSaved(saved, this.#groups, this.#record.channels));
      return;
    }
    this.#sums ??= this.#newSums(saved.sums.pairs.map(({ pivot }) => pivot));
    await this.absorb();
    this.#sums = addChannelSums(this.#sums, saved.sums);
  }

  /** State to resume from: rows as copies, sums by reference. */
  get state(): FitState<ChannelStoreFacts> {
    const { samples, channels, pairs } = this.#record.view();
    const joined = (blocks: readonly Float32Array[]): Float32Array => {
      const values = new Float32Array(samples * channels);
      let at = 0;
      for (const block of blocks) {
        values.set(block, at);
        at += block.length;
      }
      return values;
    };
    const sums = this.#sums;
    return {
      facts: { rows: samples, ...(sums ? { summed: sums.samples } : {}) },
      arrays: new Map<string, (Float32Array | Float64Array)[]>([
        ['values_x', pairs.map(({ x }) => joined(x))],
        ['values_u', pairs.map(({ u }) => joined(u))],
        ...(sums ? arraysOfPairs('sums_', channelArrays, sums.pairs) : []),
      ]),
    };
  }

  /** Restores {@link ChannelStore.state}. The store must be empty. @throws RangeError */
  restore({ facts, arrays }: FitState<ChannelStoreFacts>): void {
    const [activations, gradients] = [
      stateArrays(arrays, 'values_x', Float32Array),
      stateArrays(arrays, 'values_u', Float32Array),
    ];
    this.#record.add({ size: facts.rows, activations, gradients });
    if (facts.summed === undefined) return;
    const pairs = pairsOfArrays('sums_', channelArrays, arrays);
    const sums = this.#newSums(pairs.map(({ pivot }) => pivot));
    sums.pairs.forEach((pair, p) => {
      for (const key of channelArrays) pair[key].set(pairs[p]![key]);
    });
    this.#sums = { ...sums, samples: facts.summed };
  }

  /** Keeps only the first `samples` samples; the others must not be in the sums. */
  truncate(samples: number): void {
    this.#record.truncate(Math.max(samples - (this.#sums?.samples ?? 0), 0));
  }

  clear(): void {
    this.#record.clear();
    this.#sums = undefined;
  }

  #newSums(pivots: readonly Float64Array[]): ChannelSums {
    const shared = this.#shared;
    return emptyChannelSums(pivots, shared && ((length) => shared.alloc(Float64Array, length)));
  }
}
