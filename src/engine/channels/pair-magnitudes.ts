import { channelNorms, type Reduction } from '../../statistics/channel-norms.ts';
import type { ChannelRows } from '../../statistics/channel-record.ts';
import type { RaggedIndices } from '../../statistics/ragged.ts';

/** The magnitudes behind the scores of one ordered pair of nodes: `[samples]` for each layer pair. */
export interface PairMagnitudes {
  /** Activation magnitudes of the source */
  readonly x: readonly Float32Array[];
  /** Gradient magnitudes of the target */
  readonly y: readonly Float32Array[];
}

/** The pair whose magnitudes are requested, and the maximum number of samples, counted from the first. */
export interface PairRequest {
  readonly source: number;
  readonly target: number;
  readonly samples: number;
}

/** @param groups channels of each node */
export function pairMagnitudes(
  rows: ChannelRows,
  groups: RaggedIndices,
  reduction: Reduction,
  { source, target, samples }: PairRequest,
): PairMagnitudes {
  const norms = (blocks: readonly Float32Array[], node: number): Float32Array => {
    const own = groups.indices.subarray(groups.offsets[node], groups.offsets[node + 1]);
    const alone = {
      channels: rows.channels,
      groups: { offsets: Uint32Array.of(0, own.length), indices: own },
      reduction,
    };
    const magnitudes = new Float64Array(Math.min(samples, rows.samples));
    let done = 0;
    for (const block of blocks) {
      const count = Math.min(block.length / rows.channels, magnitudes.length - done);
      channelNorms(block, count, alone, magnitudes.subarray(done));
      done += count;
    }
    return Float32Array.from(magnitudes);
  };
  return {
    x: rows.pairs.map(({ x }) => norms(x, source)),
    y: rows.pairs.map(({ u }) => norms(u, target)),
  };
}
