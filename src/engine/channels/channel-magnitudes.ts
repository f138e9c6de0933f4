import { channelNorms, type Reduction } from '../../statistics/channel-norms.ts';
import type { ChannelRows } from '../../statistics/channel-record.ts';
import type { RaggedIndices } from '../../statistics/ragged.ts';
import type { AllMagnitudes } from '../score-magnitudes.ts';

/** The magnitudes of kept channel values (method.md, "Magnitudes"), float64. @param groups channels of each node */
export function magnitudesOfChannels(
  { samples, channels, pairs }: ChannelRows,
  groups: RaggedIndices,
  reduction: Reduction,
): AllMagnitudes {
  const nodes = groups.offsets.length - 1;
  const norms = (blocks: readonly Float32Array[]): Float64Array => {
    const all = new Float64Array(samples * nodes);
    let row = 0;
    for (const block of blocks) {
      const size = block.length / channels;
      const out = all.subarray(row * nodes, (row + size) * nodes);
      channelNorms(block, size, { channels, groups, reduction }, out);
      row += size;
    }
    return all;
  };
  return { size: samples, x: pairs.map(({ x }) => norms(x)), y: pairs.map(({ u }) => norms(u)) };
}
