import { addChannelSums, emptyChannelSums, type ChannelSums } from '../../statistics/channel-sums.ts';
import { mixedBlocks } from '../../statistics/mixed-blocks.ts';
import { runToEnd } from '../../statistics/yielder.ts';
import { raggedFromLists, type RaggedIndices } from '../../statistics/ragged.ts';
import {
  batchOfSaved,
  joinValues,
  sameCounts,
  type SavedChannels,
  type SavedChannelSums,
} from '../../statistics/saved-channels.ts';
import { absorbRows } from './absorb.ts';

/**
 * Merges samples: values are concatenated, sums are added up, and values are added to the sums of the other side.
 *
 * @returns undefined if either is absent, or a node has another number of channels
 */
export function mergeChannels(
  a: SavedChannels | undefined,
  b: SavedChannels | undefined,
): SavedChannels | undefined {
  if (a === undefined || b === undefined || !sameCounts(a.counts, b.counts)) return undefined;
  if ('sums' in a) return addToSums(a, b);
  return 'sums' in b ? addToSums(b, a) : joinValues(a, b);
}

function addToSums({ counts, sums }: SavedChannelSums, other: SavedChannels): SavedChannelSums {
  const pivots = sums.pairs.map(({ pivot }) => pivot);
  const copy = addChannelSums(emptyChannelSums(pivots), sums);
  const merged = 'sums' in other ? addChannelSums(copy, other.sums) : addValues(copy, other);
  return { samples: merged.samples, counts, sums: merged };
}

function addValues(sums: ChannelSums, values: Exclude<SavedChannels, SavedChannelSums>): ChannelSums {
  const groups = consecutiveGroups(values.counts);
  const { channels } = sums;
  const { activations, gradients } = batchOfSaved(values, groups, channels);
  const memory = mixedBlocks();
  sums.pairs.forEach((pair, p) => {
    const rows = { x: [activations[p]!], u: [gradients[p]!] };
    runToEnd(absorbRows(memory, pair, rows, groups.indices, channels));
  });
  return { ...sums, samples: sums.samples + values.samples };
}

/** Channels numbered node by node. @param counts channels of each node */
export function consecutiveGroups(counts: Int32Array): RaggedIndices {
  let channels = 0;
  return raggedFromLists(Array.from(counts, (count) => Array.from({ length: count }, () => channels++)));
}
