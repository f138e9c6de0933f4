import { channelMoments, meanSquares, type LayerPair } from '../../src/scoring/channel/system.ts';
import { raggedFromLists, type RaggedIndices } from '../../src/statistics.ts';
import { npzArrays } from './npz-arrays.ts';

/** One case of test/fixtures/channels (see the README there): channel values, and numpy's results for them. */
export interface ChannelCase {
  readonly nodes: number;
  readonly channels: number;
  readonly samples: number;
  readonly lambda: number;
  /** Channels of each node */
  readonly groups: RaggedIndices;
  readonly pairs: readonly LayerPair[];
  /** Samples `first .. end` as a batch */
  batch(
    first: number,
    end: number,
  ): { readonly size: number; readonly activations: Float32Array[]; readonly gradients: Float32Array[] };
  /** Scores by name: `pairs` (all of them), `mean`, `max`, `pooled` */
  oracle(name: string): Float64Array;
}

export const channelCases = ['more-samples', 'fewer-samples', 'ragged', 'constant-channels'] as const;

export function channelCase(bytes: Uint8Array): ChannelCase {
  const arrays = npzArrays(bytes);
  const [pairCount, samples, channels] = arrays.x!.shape as [number, number, number];
  const nodeOf = arrays.nodes!.data;
  const nodes = Math.max(...nodeOf) + 1;
  const lists = Array.from({ length: nodes }, (_, node) =>
    Array.from(nodeOf.keys()).filter((channel) => nodeOf[channel] === node),
  );
  const cut = (name: string, first: number, end: number): Float32Array[] =>
    Array.from({ length: pairCount }, (_, p) =>
      Float32Array.from(
        arrays[name]!.data.subarray((p * samples + first) * channels, (p * samples + end) * channels),
      ),
    );
  // In two blocks, the first larger than the last.
  const middle = Math.ceil(samples * 0.6);
  const halves = (name: string): Float32Array[][] => [cut(name, 0, middle), cut(name, middle, samples)];
  const [x, u] = [halves('x'), halves('u')];
  const pairs = Array.from({ length: pairCount }, (_, p) => {
    const own = { x: x.map((half) => half[p]!), u: u.map((half) => half[p]!) };
    const [momentsX, meanSquareU] = [channelMoments(own.x, channels), meanSquares(own.u, channels)];
    return { ...own, momentsX, meanSquareU, samples };
  });
  return {
    nodes,
    channels,
    samples,
    lambda: arrays.lambda!.data[0]!,
    groups: raggedFromLists(lists),
    pairs,
    batch: (first, end) => ({
      size: end - first,
      activations: cut('x', first, end),
      gradients: cut('u', first, end),
    }),
    oracle: (name) => arrays[name]!.data,
  };
}
