/**
 * The numbers to hold (method.md) in precision 'exact', on hard cases, against two passes in float64; beside them what a
 * straight port with single-precision products makes of the same magnitudes. Ours must never be the larger error.
 */
import { expect } from 'vitest';
import {
  createWebGpuEngine,
  type MagnitudeBatch,
  raggedFromLists,
  scoreStatistics,
} from '../../src/statistics.ts';
import { largestDifference, normalNumbers } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';
import { portStatistics, twoPassStatistics } from '../support/straight-port.ts';

/** A column's value in one sample, from the sample's common factor, its own noise, and the batch. */
type Column = (factor: number, noise: number, node: number, batch: number) => number;

interface Case {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly nodes: number;
  readonly x: Column;
  readonly y?: Column;
  readonly parents: number;
  readonly ridge: number;
  /** Of partial correlations, where it is not the rounding of scores to float32 */
  readonly tolerance?: number;
  /** Scores are asked for after the first batch, so that pivots and scales are fixed by it alone */
  readonly firstAlone?: boolean;
}

const plain: Column = (factor, noise) => 3 + 0.7 * factor + noise;

const cases: readonly Case[] = [
  {
    name: 'mean/sd = 1e3',
    sizes: [300, 300],
    nodes: 12,
    x: (f, e) => 1e3 + 0.7 * f + 0.7 * e,
    parents: 3,
    ridge: 1e-8,
  },
  {
    name: 'mean/sd = 1e4',
    sizes: [300, 300],
    nodes: 12,
    x: (f, e) => 1e4 + 0.7 * f + 0.7 * e,
    parents: 3,
    ridge: 1e-8,
  },
  {
    // Deviations below 1e-6 are no variance by the method's eps: those columns are NaN.
    name: 'scales from 1e-12 to 1e12',
    sizes: [300],
    nodes: 25,
    x: (f, e, node) => 10 ** (node - 12) * (3 + 0.7 * f + e),
    parents: 2,
    ridge: 0,
  },
  {
    name: '1e6 samples in 1e4 batches',
    sizes: Array.from({ length: 10_000 }, () => 100),
    nodes: 3,
    x: plain,
    parents: 1,
    ridge: 1e-8,
  },
  {
    // Parents differ by 1e-4 of a deviation, K has a condition number near 1e8: 1e-4 is what the method asks at 1e6.
    name: 'near-duplicate parents, ridge 1e-8',
    sizes: [400],
    nodes: 9,
    x: (f, e, node) => 3 + f + (node < 5 ? 1e-4 : 1) * e,
    y: plain,
    parents: 3,
    ridge: 1e-8,
    tolerance: 1e-6,
  },
  {
    name: 'near-duplicate parents, ridge 0',
    sizes: [400],
    nodes: 9,
    x: (f, e, node) => 3 + f + (node < 5 ? 1e-3 : 1) * e,
    y: plain,
    parents: 3,
    ridge: 0,
    tolerance: 1e-6,
  },
  {
    name: 'duplicate parents, ridge 1e-8',
    sizes: [400],
    nodes: 9,
    x: (f, e, node) => 3 + f + (node < 4 ? 0 : 1) * e,
    y: plain,
    parents: 2,
    ridge: 1e-8,
    tolerance: 1e-6,
  },
  {
    name: 'duplicate parents, ridge 0',
    sizes: [400],
    nodes: 9,
    x: (f, e, node) => 3 + f + (node < 4 ? 0 : 1) * e,
    y: plain,
    parents: 2,
    ridge: 0,
  },
  {
    name: 'constant nodes',
    sizes: [200],
    nodes: 9,
    x: (f, e, node) => (node % 3 === 0 ? 5 : 3 + f + e),
    parents: 2,
    ridge: 1e-8,
  },
  {
    name: 'two samples more than the conditioning set',
    sizes: [8],
    nodes: 12,
    x: plain,
    parents: 6,
    ridge: 1e-8,
    tolerance: 1e-6,
  },
  { name: 'no parents', sizes: [300], nodes: 12, x: plain, parents: 0, ridge: 1e-8 },
  {
    name: 'a first batch of zeros',
    sizes: [4, 300],
    nodes: 9,
    x: (f, e, _, batch) => (batch === 0 ? 0 : 50 + f + e),
    parents: 2,
    ridge: 1e-8,
    firstAlone: true,
  },
  {
    name: '1e-12 at first, 1e12 later',
    sizes: [4, 300],
    nodes: 9,
    x: (f, e, _, batch) => (batch === 0 ? 1e-12 : 1e12) * (5 + f + e),
    parents: 2,
    ridge: 1e-8,
    firstAlone: true,
  },
  {
    name: '1 at first, 1e25 later',
    sizes: [4, 300, 300],
    nodes: 9,
    x: (f, e, _, batch) => (batch === 0 ? 1 : 1e25) * (5 + f + e),
    parents: 2,
    ridge: 1e-8,
    firstAlone: true,
  },
  {
    name: '1e12 at first, 1 later',
    sizes: [4, 300],
    nodes: 9,
    x: (f, e, _, batch) => (batch === 0 ? 1e12 : 1) * (5 + f + e),
    parents: 2,
    ridge: 1e-8,
    firstAlone: true,
  },
];

function makeBatches({ sizes, nodes, x, y = x }: Case): MagnitudeBatch[] {
  const normal = normalNumbers(17);
  return sizes.map((size, batch) => {
    const [a, b] = [new Float32Array(size * nodes), new Float32Array(size * nodes)];
    for (let row = 0; row < size; row++) {
      const factor = normal();
      for (let node = 0; node < nodes; node++) {
        a[row * nodes + node] = x(factor, normal(), node, batch);
        b[row * nodes + node] = y(factor, normal(), node, batch);
      }
    }
    return { size, x: [a], y: [b] };
  });
}

// Scores come back in float32: half a unit in the last place of a number near one is 3e-8.
const OUTPUT_ROUNDING = 1e-7;

test.for(cases.map((each) => [each.name, each] as const))('%s', async ([name, each], { gpu }) => {
  const { nodes, parents, ridge, tolerance = OUTPUT_ROUNDING } = each;
  const batches = makeBatches(each);
  const lists = Array.from({ length: nodes }, (_, j) =>
    Array.from({ length: parents }, (_, k) => (j + 1 + k) % nodes).sort((a, b) => a - b),
  );
  const conditioningSets = raggedFromLists(lists);
  const shape = { nodes, pairs: 1, reduction: 'l1' as const };
  const engine = await createWebGpuEngine({ device: gpu.device, shape });
  for (const [index, batch] of batches.entries()) {
    await engine.accumulateMagnitudes(batch);
    if (index === 0 && each.firstAlone) await engine.statistics();
  }
  const oracle = twoPassStatistics(batches, nodes);
  const port = portStatistics(batches, nodes);
  const errors: string[] = [];
  for (const score of ['corr', 'partial'] as const) {
    const request = { score, layerAgg: 'mean', ridge, conditioningSets } as const;
    const expected = (await scoreStatistics(oracle, request)).aggregated;
    const ours = largestDifference((await engine.score(request)).aggregated, expected);
    const ports = largestDifference((await scoreStatistics(port, request)).aggregated, expected);
    errors.push(`${score} ${ours.toExponential(1)}, straight port ${ports.toExponential(1)}`);
    expect(ours, score).toBeLessThanOrEqual(score === 'corr' ? OUTPUT_ROUNDING : tolerance);
    // A port that is lucky to the last bits of float32 has no advantage that a float32 score could show.
    expect(ours, score).toBeLessThanOrEqual(Math.max(ports, OUTPUT_ROUNDING));
  }
  // eslint-disable-next-line no-console -- the comparison is there to be read
  console.info(`${name}: ${errors.join('; ')}`);
  await engine.release();
});
