import {
  type MagnitudeBatch,
  raggedFromLists,
  type RaggedIndices,
  type ScoreRequest,
} from '../../src/statistics.ts';
import { normalNumbers, randomNumbers } from './random-numbers.ts';

/** Three panels of targets, the last one not full; two pieces of rows. */
export const shape = { nodes: 600, pairs: 3, reduction: 'l1' } as const;
export const samples = 300;

/** Too little memory for the sums of that shape, which take 17 MB, but enough for ten times the samples. */
export const memory = 15e6;

/**
 * Half of the nodes share a signal in each layer pair. Some are constant in one layer, so that they have no score in
 * one pair, and one is constant in all layers.
 */
export function largeBatch(seed: number): MagnitudeBatch {
  const made = batches.get(seed) ?? makeBatch(seed);
  batches.set(seed, made);
  return made;
}

const batches = new Map<number, MagnitudeBatch>();

function makeBatch(seed: number): MagnitudeBatch {
  const normal = normalNumbers(seed);
  const { nodes, pairs } = shape;
  const shared = Float64Array.from({ length: samples * pairs }, normal);
  const layer = (pair: number, constant: readonly number[]): Float32Array =>
    Float32Array.from({ length: samples * nodes }, (_, e) => {
      if (constant.includes(e % nodes)) return 2;
      return 9 + normal() + (e % 2) * shared[pair * samples + Math.floor(e / nodes)]!;
    });
  return {
    size: samples,
    x: Array.from({ length: pairs }, (_, p) => layer(p, [3 + p, 300])),
    y: Array.from({ length: pairs }, (_, p) => layer(p, [511 + p, 300])),
  };
}

/** Eight parents on average; the first target has none, the second as many as the samples allow. */
export function largeSets(
  seed: number,
  change: (target: number, set: number[]) => number[] = keep,
): RaggedIndices {
  const uniform = randomNumbers(seed);
  const { nodes } = shape;
  return raggedFromLists(
    Array.from({ length: nodes }, (_, target) => {
      const count = target === 0 ? 0 : target === 1 ? 200 : 1 + Math.floor(uniform() * 15);
      const set = new Set(Array.from({ length: count }, () => Math.floor(uniform() * nodes)));
      set.delete(target);
      return change(
        target,
        [...set].sort((a, b) => a - b),
      );
    }),
  );
}

function keep(_: number, set: number[]): number[] {
  return set;
}

export const largeRequest: ScoreRequest = {
  score: 'partial',
  layerAgg: 'mean',
  ridge: 1e-8,
  conditioningSets: largeSets(5),
};
