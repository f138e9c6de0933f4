import { Field, FixedSizeList, Float64, makeData, type Data } from 'apache-arrow';
import type { Column } from '../columns/column.ts';
import {
  channelMatrices,
  channelVectors,
  type ChannelSums,
  type PairChannelSums,
} from '../statistics/channel-sums.ts';
import { firstNonFinite } from '../first-non-finite.ts';
import type { SavedChannelSums } from '../statistics/saved-channels.ts';

/** Columns of a statistics file that hold sums of channel values, in order. */
const columns = {
  pivot: 'channel_pivot',
  sumX: 'channel_sum_x',
  sumU: 'channel_sum_u',
  sumU2: 'channel_sum_u2',
  sumXX: 'channel_sum_xx',
  sumXU: 'channel_sum_xu',
} as const satisfies Record<keyof PairChannelSums, string>;
const keys = [...channelVectors, ...channelMatrices];

/** Numbers per channel in a column. */
function widthOf(key: keyof PairChannelSums, channels: number): number {
  return (channelMatrices as readonly string[]).includes(key) ? channels : 1;
}

const mostOf = (counts: Int32Array): number => counts.reduce((most, count) => Math.max(most, count), 0);

const listType = (length: number): FixedSizeList =>
  new FixedSizeList(length, new Field('item', new Float64(), false));

/**
 * For each node, per channel: pivot, sums of activations minus pivots, of gradients, and of squared gradients, and the
 * rows of the two matrices of products with all K channels, as one list padded with zeros to the largest number of
 * channels. Of the products of activations with each other only the upper triangle counts.
 */
export function sumsFields({ counts, sums }: SavedChannelSums): Field[] {
  return keys.map(
    (key) => new Field(columns[key], listType(mostOf(counts) * widthOf(key, sums.channels)), false),
  );
}

/** The columns of a layer pair. */
export function sumsData({ counts, sums }: SavedChannelSums, pair: number): Data[] {
  const most = mostOf(counts);
  return keys.map((key) => {
    const width = widthOf(key, sums.channels);
    const values = sums.pairs[pair]![key];
    const data = new Float64Array(counts.length * most * width);
    forEachNode(counts, (node, first, count) => {
      data.set(values.subarray(first * width, (first + count) * width), node * most * width);
    });
    const child = makeData({ type: new Float64(), length: data.length, nullCount: 0, data });
    return makeData({ type: listType(most * width), length: counts.length, nullCount: 0, child });
  });
}

/** Whether a file has sums of channel values. */
export function hasChannelSums(fields: readonly { readonly name: string }[]): boolean {
  return fields.some(({ name }) => name === columns.sumXX);
}

/**
 * Reads what {@link sumsFields} and {@link sumsData} wrote.
 *
 * @param column reads a column of the file
 * @param refuse throws with a reason
 */
export function readChannelSums(
  column: (name: string) => Column,
  {
    samples,
    counts,
    pairs,
  }: { readonly samples: number; readonly counts: Int32Array; readonly pairs: number },
  refuse: (why: string) => never,
): ChannelSums {
  const most = mostOf(counts);
  const channels = counts.reduce((sum, count) => sum + count, 0);
  const perPair = Array.from({ length: pairs }, () => ({}) as Record<keyof PairChannelSums, Float64Array>);
  for (const key of keys) {
    const name = columns[key];
    const width = widthOf(key, channels);
    const lists = column(name);
    const items = lists.kind === 'lists' && lists.width === most * width ? lists.items : undefined;
    const found = items?.kind === 'numbers' && items.valid === undefined ? items.values : undefined;
    const length = counts.length * most * width;
    if (!(found instanceof Float64Array) || found.length !== length * pairs)
      return refuse(`has a column '${name}' that does not hold sums of every channel`);
    if (firstNonFinite(found) >= 0) refuse(`holds a value in column '${name}' that is not finite`);
    perPair.forEach((pair, p) => {
      const values = new Float64Array(channels * width);
      forEachNode(counts, (node, first, count) => {
        const from = p * length + node * most * width;
        values.set(found.subarray(from, from + count * width), first * width);
      });
      pair[key] = values;
    });
  }
  return { samples, channels, pairs: perPair };
}

/** @param visit receives each node, the first of its channels among all K, and its number of channels */
function forEachNode(counts: Int32Array, visit: (node: number, first: number, count: number) => void): void {
  let first = 0;
  counts.forEach((count, node) => {
    visit(node, first, count);
    first += count;
  });
}
