import {
  type ChannelBatch,
  type EngineShape,
  type MagnitudeBatch,
  raggedFromLists,
  type ScoreRequest,
} from '../../src/statistics.ts';

/** Three layer pairs, so that two workers get unequal shares; 37 nodes, so that the last panel is not full. */
export const shape = {
  nodes: 37,
  pairs: 3,
  channels: 74,
  channelGroups: raggedFromLists(Array.from({ length: 37 }, (_, i) => [2 * i, 2 * i + 1])),
  reduction: 'l2',
} as const satisfies EngineShape;

export const request: ScoreRequest = {
  score: 'partial',
  layerAgg: 'mean',
  ridge: 1e-8,
  conditioningSets: raggedFromLists(
    Array.from({ length: shape.nodes }, (_, j) => [(j + 1) % 37, (j + 5) % 37].sort((a, b) => a - b)),
  ),
};

/** Values of a batch, the same for the same seed, around `mean`. */
function values(length: number, seed: number, mean: number): Float32Array {
  return Float32Array.from({ length }, (_, e) => mean + Math.sin(12.9898 * (e + 1) * (seed + 1)));
}

function layers(width: number, size: number, seed: number, mean: number): Float32Array[] {
  return Array.from({ length: shape.pairs }, (_, p) => values(size * width, seed + 31 * p, mean));
}

export function channelBatch(size: number, seed: number): ChannelBatch {
  return {
    size,
    activations: layers(shape.channels, size, seed, 0),
    gradients: layers(shape.channels, size, seed + 7, 0),
  };
}

export function magnitudeBatch(size: number, seed: number): MagnitudeBatch {
  return { size, x: layers(shape.nodes, size, seed, 3), y: layers(shape.nodes, size, seed + 7, 3) };
}
