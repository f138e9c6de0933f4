import type { MagnitudeBatch } from '../../src/statistics.ts';
import type { OracleProblem, PairMagnitudes } from './method-oracle.ts';
import { normalNumbers, randomNumbers } from './random-numbers.ts';

/** A problem for the engines and the oracle, of any shape and unit, with the degeneracies of real data. */
export function randomProblem(seed: number): OracleProblem {
  const random = randomNumbers(seed);
  const normal = normalNumbers(seed ^ 0x5bd1e995);
  const below = (count: number): number => Math.floor(random() * count);
  const nodes = 2 + below(11);
  const samples = 3 + below(random() < 0.3 ? 5 : 60);
  const pairs = Array.from({ length: 1 + below(3) }, () => randomPair(nodes, samples, random, normal));
  const density = random();
  const parents = Array.from({ length: nodes }, (_, target) =>
    Array.from({ length: nodes }, (_, node) => node).filter(
      (node) => node !== target && random() < 0.5 * density,
    ),
  );
  const partial = random() < 0.7;
  return {
    nodes,
    samples,
    pairs,
    parents,
    score: partial ? 'partial' : 'corr',
    layerAgg: random() < 0.5 ? 'mean' : 'max',
    ridge: [0, 1e-8, 1e-3][below(3)]!,
    varianceFloor: random() < 0.2 ? 1e-12 : undefined,
  };
}

/** Magnitudes are at least 0. Columns are noisy, correlated, constant, repeated, sparse, or have a large mean. */
function randomPair(
  nodes: number,
  samples: number,
  random: () => number,
  normal: () => number,
): PairMagnitudes {
  const factors = Array.from({ length: samples }, normal);
  const unit = [10 ** (random() * 16 - 10), 10 ** (random() * 16 - 10)];
  const side = (scale: number): Float32Array => {
    const values = new Float32Array(nodes * samples);
    for (let node = 0; node < nodes; node++) {
      const kind = random();
      const loading = 2 * random();
      const offset = kind > 0.9 ? 1000 * random() : 4 * random();
      const copied = Math.floor(random() * Math.max(node, 1));
      for (let row = 0; row < samples; row++) {
        const noisy = Math.abs(offset + loading * factors[row]! + normal());
        const value =
          kind < 0.05
            ? 0
            : kind < 0.1
              ? offset
              : kind < 0.2 && node > 0
                ? values[row * nodes + copied]! / Math.fround(scale)
                : kind < 0.3 && random() < 0.8
                  ? 0
                  : noisy;
        values[row * nodes + node] = scale * value;
      }
    }
    return values;
  };
  return { x: side(unit[0]!), y: side(unit[1]!) };
}

/** The samples in batches of random sizes. */
export function randomBatches({ nodes, samples, pairs }: OracleProblem, seed: number): MagnitudeBatch[] {
  const random = randomNumbers(seed);
  const batches: MagnitudeBatch[] = [];
  for (let first = 0; first < samples;) {
    const size = Math.min(samples - first, 1 + Math.floor(random() * samples));
    const cut = (values: Float32Array): Float32Array => values.slice(first * nodes, (first + size) * nodes);
    batches.push({ size, x: pairs.map(({ x }) => cut(x)), y: pairs.map(({ y }) => cut(y)) });
    first += size;
  }
  return batches;
}
