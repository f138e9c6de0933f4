import type { RaggedIndices } from './ragged.ts';

/** How the channels of a node become one magnitude: `l1` sums absolute values, `l2` is the Euclidean norm. */
export type Reduction = 'l1' | 'l2';

/** How channels become magnitudes of nodes. */
export interface NodeChannels {
  readonly channels: number;
  /** Channels of each node: N lists */
  readonly groups: RaggedIndices;
  readonly reduction: Reduction;
}

/**
 * Norm of each function node's channels, sample by sample (method.md, "Magnitudes"); the float64 twin of the
 * channel norm kernel. Squares and sums of finite float32 values neither overflow nor underflow in float64, so no
 * scaling is needed here.
 *
 * @param values channel values, row-major `[batch, channels]`
 * @param out receives the magnitudes, row-major `[batch, nodes]`
 */
export function channelNorms(
  values: Float32Array,
  batch: number,
  { channels, groups: { offsets, indices }, reduction }: NodeChannels,
  out: Float64Array,
): void {
  const nodes = offsets.length - 1;
  const euclidean = reduction === 'l2';
  const each = channels / nodes;
  if (!euclidean && isSideBySide(offsets, indices, each)) {
    sumsOfRuns(values, batch * nodes, each, out);
    return;
  }
  for (let b = 0; b < batch; b++) {
    const row = b * channels;
    for (let node = 0; node < nodes; node++) {
      const end = offsets[node + 1]!;
      let sum = 0;
      if (euclidean) {
        for (let c = offsets[node]!; c < end; c++) {
          const value = values[row + indices[c]!]!;
          sum += value * value;
        }
        sum = Math.sqrt(sum);
      } else {
        for (let c = offsets[node]!; c < end; c++) sum += Math.abs(values[row + indices[c]!]!);
      }
      out[b * nodes + node] = sum;
    }
  }
}

/** Whether every node has `each` channels, stored in node order. */
function isSideBySide(offsets: Uint32Array, indices: Uint32Array, each: number): boolean {
  return (
    offsets.every((offset, node) => offset === node * each) && indices.every((index, at) => index === at)
  );
}

/** Sums of absolute values over runs of `each` values: the same bits, in two thirds of the time. */
function sumsOfRuns(values: Float32Array, runs: number, each: number, out: Float64Array): void {
  for (let run = 0, at = 0; run < runs; run++) {
    let sum = 0;
    for (const end = at + each; at < end; at++) sum += Math.abs(values[at]!);
    out[run] = sum;
  }
}
