import type { ChannelRows, ChannelValuesBatch, NewSingles } from './channel-record.ts';
import type { ChannelSums } from './channel-sums.ts';
import type { RaggedIndices } from './ragged.ts';

/**
 * Channel values in node order, independent of a model's channel numbers, for saving and merging. For each layer pair
 * `[nodes, most, samples]`: the samples of a channel are contiguous, and channels that a node lacks are zero.
 */
export interface SavedChannelValues {
  /** n */
  readonly samples: number;
  /** Channels of each node, `[nodes]` */
  readonly counts: Int32Array;
  /** Channels of the node that has most */
  readonly most: number;
  /** P entries */
  readonly pairs: readonly { readonly x: Float32Array; readonly u: Float32Array }[];
}

/** Sums of channel values, if there were too many samples to keep. */
export interface SavedChannelSums {
  /** n */
  readonly samples: number;
  /** Channels of each node, `[nodes]` */
  readonly counts: Int32Array;
  /** Of all channels, node by node */
  readonly sums: ChannelSums;
}

/** Channel data that is saved and merged. */
export type SavedChannels = SavedChannelValues | SavedChannelSums;

/** The number of channels of each node. @param groups channels of each node */
export function channelCounts({ offsets }: RaggedIndices): Int32Array {
  return Int32Array.from({ length: offsets.length - 1 }, (_, node) => offsets[node + 1]! - offsets[node]!);
}

/** A copy of rows, in node order. */
export function savedChannels(rows: ChannelRows, groups: RaggedIndices): SavedChannelValues {
  const { samples, channels } = rows;
  const counts = channelCounts(groups);
  const most = counts.reduce((largest, count) => Math.max(largest, count), 0);
  const byNode = (blocks: readonly Float32Array[]): Float32Array => {
    const values = new Float32Array(counts.length * most * samples);
    let sample = 0;
    for (const block of blocks) {
      for (let row = 0; row < block.length; row += channels, sample++) {
        forEachChannel(groups, most, (channel, place) => {
          values[place * samples + sample] = block[row + channel]!;
        });
      }
    }
    return values;
  };
  return {
    samples,
    counts,
    most,
    pairs: rows.pairs.map(({ x, u }) => ({ x: byNode(x), u: byNode(u) })),
  };
}

/**
 * The samples as a batch of values in a model's own channel order; it must have the same number of channels per node.
 */
export function batchOfSaved(
  { samples, most, pairs }: SavedChannelValues,
  groups: RaggedIndices,
  channels: number,
  newSingles: NewSingles = (length) => new Float32Array(length),
): ChannelValuesBatch {
  const byChannel = (values: Float32Array): Float32Array => {
    const rows = newSingles(samples * channels);
    forEachChannel(groups, most, (channel, place) => {
      const from = place * samples;
      for (let sample = 0; sample < samples; sample++)
        rows[sample * channels + channel] = values[from + sample]!;
    });
    return rows;
  };
  return {
    size: samples,
    activations: pairs.map(({ x }) => byChannel(x)),
    gradients: pairs.map(({ u }) => byChannel(u)),
  };
}

/** The samples of `a`, then of `b`, which must have the same numbers of channels. */
export function joinValues(a: SavedChannelValues, b: SavedChannelValues): SavedChannelValues {
  const samples = a.samples + b.samples;
  const lists = a.counts.length * a.most;
  const joined = (first: Float32Array, second: Float32Array): Float32Array => {
    const values = new Float32Array(lists * samples);
    for (let list = 0; list < lists; list++) {
      const to = list * samples;
      values.set(first.subarray(list * a.samples, (list + 1) * a.samples), to);
      values.set(second.subarray(list * b.samples, (list + 1) * b.samples), to + a.samples);
    }
    return values;
  };
  const pairs = a.pairs.map(({ x, u }, p) => ({
    x: joined(x, b.pairs[p]!.x),
    u: joined(u, b.pairs[p]!.u),
  }));
  return { samples, counts: a.counts, most: a.most, pairs };
}

/** Whether nodes have the same numbers of channels. */
export function sameCounts(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((count, node) => count === b[node]);
}

/** @param visit gets each channel, and its index among `nodes * most` */
function forEachChannel(
  { offsets, indices }: RaggedIndices,
  most: number,
  visit: (channel: number, place: number) => void,
): void {
  for (let node = 0; node + 1 < offsets.length; node++) {
    const first = offsets[node]!;
    for (let at = first; at < offsets[node + 1]!; at++) visit(indices[at]!, node * most + at - first);
  }
}
