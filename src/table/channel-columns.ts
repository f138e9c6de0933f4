import { Field, FixedSizeList, Float32, Int32, makeData, type Data } from 'apache-arrow';
import type { Column } from '../columns/column.ts';
import { firstNonFinite } from '../first-non-finite.ts';
import type { SavedChannels, SavedChannelValues } from '../statistics/saved-channels.ts';
import { hasChannelSums, readChannelSums, sumsData, sumsFields } from './channel-sum-columns.ts';

/** Columns of a statistics file that hold channel values; a file without channel values has none of them. */
const COUNT = 'channels';
const SIDES = [
  ['channel_x', 'x'],
  ['channel_u', 'u'],
] as const;

const listType = ({ most, samples }: SavedChannelValues): FixedSizeList =>
  new FixedSizeList(most * samples, new Field('item', new Float32(), false));

/**
 * For each node, the number of its channels, and the activation and gradient values of each channel, sample by sample,
 * as one list padded with zeros to the largest number of channels; or sums of the values ({@link sumsFields}).
 */
export function channelFields(channels: SavedChannels | undefined): Field[] {
  if (channels === undefined) return [];
  return [
    new Field(COUNT, new Int32(), false),
    ...('sums' in channels
      ? sumsFields(channels)
      : SIDES.map(([name]) => new Field(name, listType(channels), false))),
  ];
}

/** The columns of a layer pair. */
export function channelData(channels: SavedChannels | undefined, pair: number): Data[] {
  if (channels === undefined) return [];
  const { counts } = channels;
  const length = counts.length;
  const count = makeData({ type: new Int32(), length, nullCount: 0, data: counts });
  if ('sums' in channels) return [count, ...sumsData(channels, pair)];
  const { pairs } = channels;
  return [
    count,
    ...SIDES.map(([, side]) => {
      const data = pairs[pair]![side];
      const child = makeData({ type: new Float32(), length: data.length, nullCount: 0, data });
      return makeData({ type: listType(channels), length, nullCount: 0, child });
    }),
  ];
}

type Fields = readonly { readonly name: string }[];

/** Whether a file has channel values or their sums. */
export function hasChannels(fields: Fields): boolean {
  return fields.some(({ name }) => name === COUNT);
}

/**
 * Reads what {@link channelFields} and {@link channelData} wrote.
 *
 * @param column reads a column of the file
 * @param refuse throws with a reason
 */
export function readChannels(
  column: (name: string) => Column,
  fields: Fields,
  { samples, nodes, pairs }: { readonly samples: number; readonly nodes: number; readonly pairs: number },
  refuse: (why: string) => never,
): SavedChannels {
  const count = column(COUNT);
  if (count.kind !== 'numbers' || !(count.values instanceof Int32Array) || count.valid !== undefined)
    return refuse(`has a column '${COUNT}' of an unexpected type`);
  const { values } = count;
  const counts = values.slice(0, nodes);
  const most = counts.reduce((largest, value) => Math.max(largest, value), 0);
  if (values.some((value, row) => value !== counts[row % nodes] || value < 1))
    refuse('has numbers of channels that are below 1 or differ between layer pairs');
  if (hasChannelSums(fields))
    return { samples, counts, sums: readChannelSums(column, { samples, counts, pairs }, refuse) };
  const length = nodes * most * samples;
  const [x, u] = SIDES.map(([name]) => {
    const lists = column(name);
    const items = lists.kind === 'lists' && lists.width === most * samples ? lists.items : undefined;
    const found = items?.kind === 'numbers' && items.valid === undefined ? items.values : undefined;
    if (!(found instanceof Float32Array) || found.length !== length * pairs)
      return refuse(`has a column '${name}' that does not hold ${samples} samples of every channel`);
    if (firstNonFinite(found) >= 0) refuse(`holds a value in column '${name}' that is not finite`);
    return found;
  });
  return {
    samples,
    counts,
    most,
    pairs: Array.from({ length: pairs }, (_, p) => ({
      x: x!.slice(p * length, (p + 1) * length),
      u: u!.slice(p * length, (p + 1) * length),
    })),
  };
}
