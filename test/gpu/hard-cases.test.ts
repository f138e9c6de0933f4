/** Numbers to hold (method.md) in precision 'exact', against the float64 twin on the same float32 magnitudes. */
import { expect } from 'vitest';
import {
  createCpuEngine,
  createWebGpuEngine,
  type MagnitudeBatch,
  raggedFromLists,
} from '../../src/statistics.ts';
import type { GpuContext } from '../../src/gpu/device.ts';
import { largestDifference, normalNumbers } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';

/** Value of a column in one sample, from the sample's common factor and the column's own noise. */
type Column = (factor: number, noise: number, node: number) => number;

function makeBatch(seed: number, size: number, nodes: number, x: Column, y: Column = x): MagnitudeBatch {
  const normal = normalNumbers(seed);
  const matrices = [new Float32Array(size * nodes), new Float32Array(size * nodes)] as const;
  for (let row = 0; row < size; row++) {
    const factor = normal();
    for (let node = 0; node < nodes; node++) {
      matrices[0][row * nodes + node] = x(factor, normal(), node);
      matrices[1][row * nodes + node] = y(factor, normal(), node);
    }
  }
  return { size, x: [matrices[0]], y: [matrices[1]] };
}

/** Largest differences from the twin, for both scores. */
async function compare(
  gpu: GpuContext,
  nodes: number,
  batches: Iterable<MagnitudeBatch>,
  sets: readonly (readonly number[])[],
  ridge: number,
): Promise<{ corr: number; partial: number }> {
  const shape = { nodes, pairs: 1, reduction: 'l1' as const };
  const engine = await createWebGpuEngine({ device: gpu.device, shape });
  const twin = createCpuEngine(shape);
  for (const batch of batches) {
    await engine.accumulateMagnitudes(batch);
    await twin.accumulateMagnitudes(batch);
  }
  const worst = { corr: 0, partial: 0 };
  for (const score of ['corr', 'partial'] as const) {
    const request = { score, layerAgg: 'mean', ridge, conditioningSets: raggedFromLists(sets) } as const;
    const found = await engine.score(request);
    worst[score] = largestDifference(found.aggregated, (await twin.score(request)).aggregated);
  }
  await engine.release();
  await twin.release();
  return worst;
}

/** Sets of the `size` nodes after the target. */
function neighbours(nodes: number, size: number): number[][] {
  return Array.from({ length: nodes }, (_, target) =>
    Array.from({ length: size }, (_, k) => (target + 1 + k) % nodes).sort((a, b) => a - b),
  );
}

// Scores come back in float32: half a unit in the last place of a number near one is 3e-8.
const OUTPUT_ROUNDING = 1e-7;

test.for([1e3, 1e4])('means %d deviations away', async (mean, { gpu }) => {
  const column: Column = (factor, noise) => mean + 0.7 * factor + noise;
  const batches = [1, 2, 3].map((seed) => makeBatch(seed, 700, 20, column));
  const worst = await compare(gpu, 20, batches, neighbours(20, 4), 1e-8);
  expect(worst.corr).toBeLessThanOrEqual(OUTPUT_ROUNDING);
  expect(worst.partial).toBeLessThanOrEqual(OUTPUT_ROUNDING);
});

test.for([-36, -12, 10])('scales from 1e%d up between nodes', async (least, { gpu }) => {
  const scale = (node: number): number => 10 ** (node + least);
  const column: Column = (factor, noise, node) => scale(node) * (20 + factor + noise) * (node < 7 ? 0.1 : 1);
  const batches = [1, 2].map((seed) => makeBatch(seed, 600, 25, column));
  const sets = Array.from({ length: 25 }, (_, target) => [2, 9, 15].filter((source) => source !== target));
  const worst = await compare(gpu, 25, batches, sets, 0);
  expect(worst.corr).toBeLessThanOrEqual(OUTPUT_ROUNDING);
  expect(worst.partial).toBeLessThanOrEqual(OUTPUT_ROUNDING);
});

test.for([1e-2, 1e-4, 1e-6])('parents that differ by %d of their deviation', async (difference, { gpu }) => {
  const column: Column = (factor, noise, node) => 5 + factor + (node < 6 ? difference : 1) * noise;
  const batches = [1, 2].map((seed) => makeBatch(seed, 512, 12, column, (f, n) => 3 + 0.5 * f + n));
  const worst = await compare(gpu, 12, batches, neighbours(12, 3), 1e-8);
  expect(worst.corr).toBeLessThanOrEqual(OUTPUT_ROUNDING);
  // Condition numbers up to 1 / ridge: the last digits of the float32 magnitudes' own rounding are what is left to
  // compare, and 1e-6 of a score is what method.md asks of far better conditioned sets.
  expect(worst.partial).toBeLessThanOrEqual(1e-6);
});

// Scores are asked for after each batch, so that every batch is a range of rows of its own.
test.for([
  ['zeros at first', [0, 1e-25, 1e-20]],
  ['zeros at first, then ordinary values', [0, 1, 1e-30]],
  ['tiny values at first', [1e-30, 1e-28, 1]],
  ['large values at first', [1e10, 1e-20, 1e-20]],
] as const)('%s: units of the first batch are not those of the later ones', async ([, scales], { gpu }) => {
  const [nodes, shape] = [9, { nodes: 9, pairs: 1, reduction: 'l1' as const }];
  const engine = await createWebGpuEngine({ device: gpu.device, shape });
  const twin = createCpuEngine(shape);
  const sets = raggedFromLists(neighbours(nodes, 2));
  for (const [seed, scale] of scales.entries()) {
    const y: Column = (factor, noise, node) => (node === 3 ? scale : 1) * (4 + factor + noise);
    const x: Column = (factor, noise, node) =>
      (node === 5 ? Math.max(scale, 1e-9) : 1) * (3 + factor - noise);
    const batch = makeBatch(seed + 1, 200, nodes, x, y);
    await engine.accumulateMagnitudes(batch);
    await twin.accumulateMagnitudes(batch);
    for (const score of ['corr', 'partial'] as const) {
      const request = { score, layerAgg: 'mean', ridge: 0, conditioningSets: sets } as const;
      const found = await engine.score(request);
      const expected = await twin.score(request);
      expect(largestDifference(found.aggregated, expected.aggregated)).toBeLessThanOrEqual(OUTPUT_ROUNDING);
    }
  }
  await engine.release();
  await twin.release();
});

test('the first batch says nothing of the later ones', async ({ gpu }) => {
  const column: Column = (factor, noise) => 1 + 1e-6 * (factor + noise);
  const later: Column = (factor, noise, node) => 50 * node + factor + noise;
  const batches = [makeBatch(1, 4, 16, column), makeBatch(2, 1500, 16, later), makeBatch(3, 1500, 16, later)];
  const worst = await compare(gpu, 16, batches, neighbours(16, 3), 1e-8);
  expect(worst.corr).toBeLessThanOrEqual(OUTPUT_ROUNDING);
  expect(worst.partial).toBeLessThanOrEqual(1e-6);
});

test('gradients that shrink a thousand times in the last, short batch', async ({ gpu }) => {
  const column: Column = (factor, noise) => 2 + factor + noise;
  const small: Column = (factor, noise) => 1e-3 * (2 + factor + noise);
  const batches = [makeBatch(1, 1024, 16, column), makeBatch(2, 1, 16, column, small)];
  const worst = await compare(gpu, 16, batches, neighbours(16, 3), 1e-8);
  expect(worst.partial).toBeLessThanOrEqual(OUTPUT_ROUNDING);
});

test('many small batches', async ({ gpu }) => {
  const column: Column = (factor, noise) => 100 + factor + noise;
  const batches = Array.from({ length: 400 }, (_, seed) => makeBatch(seed, 25, 9, column));
  const worst = await compare(gpu, 9, batches, neighbours(9, 2), 1e-8);
  expect(worst.corr).toBeLessThanOrEqual(OUTPUT_ROUNDING);
  expect(worst.partial).toBeLessThanOrEqual(OUTPUT_ROUNDING);
});

test('a conditioning set beyond what one dispatch factors', async ({ gpu }) => {
  const nodes = 1040;
  const column: Column = (factor, noise) => 5 + factor + noise;
  const sets = Array.from({ length: nodes }, (_, target) =>
    target === 1035 ? Array.from({ length: 1030 }, (_, source) => source) : [],
  );
  const worst = await compare(gpu, nodes, [makeBatch(8, 40, nodes, column)], sets, 0.1);
  expect(worst.partial).toBeLessThanOrEqual(OUTPUT_ROUNDING);
});

test('a conditioning set of 500', async ({ gpu }) => {
  const nodes = 520;
  const column: Column = (factor, noise) => 5 + factor + noise;
  const sets = Array.from({ length: nodes }, (_, target) =>
    target === 510 ? Array.from({ length: 500 }, (_, source) => source) : [],
  );
  const worst = await compare(gpu, nodes, [makeBatch(7, 900, nodes, column)], sets, 1e-8);
  expect(worst.partial).toBeLessThanOrEqual(OUTPUT_ROUNDING);
});
