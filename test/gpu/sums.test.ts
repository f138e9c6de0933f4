import { describe, expect } from 'vitest';
import {
  createCpuEngine,
  createWebGpuEngine,
  type MagnitudeBatch,
  type PairStatistics,
  type Precision,
  shiftPivot,
  type SufficientStatistics,
  type TileMemory,
} from '../../src/statistics.ts';
import type { GpuContext } from '../../src/gpu/device.ts';
import { normalNumbers } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';

interface Columns {
  readonly mean: (node: number) => number;
  readonly deviation: (node: number) => number;
}

const plain: Columns = { mean: () => 3, deviation: () => 1 };

/** A batch whose neighbouring columns are correlated. */
function makeBatch(
  seed: number,
  size: number,
  nodes: number,
  pairs: number,
  columns = plain,
): MagnitudeBatch {
  const normal = normalNumbers(seed);
  const matrix = (): Float32Array => {
    const values = new Float32Array(size * nodes);
    for (let row = 0; row < size; row++) {
      let last = 0;
      for (let node = 0; node < nodes; node++) {
        last = 0.6 * last + 0.8 * normal();
        values[row * nodes + node] = columns.mean(node) + columns.deviation(node) * last;
      }
    }
    return values;
  };
  return { size, x: Array.from({ length: pairs }, matrix), y: Array.from({ length: pairs }, matrix) };
}

/** What {@link both} makes its engine with, beside the precision. */
interface Options {
  readonly products?: TileMemory;
  readonly memoryBytes?: number;
}

/** Statistics of the GPU engine and of its twin, over the same batches. */
async function both(
  gpu: GpuContext,
  precision: Precision,
  nodes: number,
  pairs: number,
  batches: readonly MagnitudeBatch[],
  options: Options = {},
): Promise<{ found: SufficientStatistics; expected: SufficientStatistics }> {
  const shape = { nodes, pairs, reduction: 'l1' as const };
  const engine = await createWebGpuEngine({ device: gpu.device, shape, precision, ...options });
  const twin = createCpuEngine(shape);
  for (const batch of batches) {
    await engine.accumulateMagnitudes(batch);
    await twin.accumulateMagnitudes(batch);
  }
  expect(await engine.flush()).toBe(await twin.flush());
  const found = await engine.statistics();
  await engine.release();
  return { found, expected: await twin.statistics() };
}

/** Compares sums about the same pivots, each in units of what its terms add up to. */
function expectClose(
  found: PairStatistics,
  expected: PairStatistics,
  samples: number,
  tolerance: number,
): void {
  const nodes = found.pivotX.length;
  const about = shiftPivot(expected, samples, found.pivotX, found.pivotY);
  for (let i = 0; i < nodes; i++) {
    const scaleX = Math.sqrt(about.sumXX[i * nodes + i]!);
    expect(Math.abs(found.sumX[i]! - about.sumX[i]!)).toBeLessThanOrEqual(
      tolerance * scaleX * Math.sqrt(samples),
    );
    for (let j = 0; j < nodes; j++) {
      const at = i * nodes + j;
      const scaleY = Math.sqrt(about.sumY2[j]!);
      const scaleX2 = Math.sqrt(about.sumXX[j * nodes + j]!);
      expect(Math.abs(found.sumXY[at]! - about.sumXY[at]!)).toBeLessThanOrEqual(tolerance * scaleX * scaleY);
      expect(Math.abs(found.sumXX[at]! - about.sumXX[at]!)).toBeLessThanOrEqual(tolerance * scaleX * scaleX2);
    }
  }
  for (let j = 0; j < nodes; j++) {
    const scaleY = Math.sqrt(about.sumY2[j]!);
    expect(Math.abs(found.sumY[j]! - about.sumY[j]!)).toBeLessThanOrEqual(
      tolerance * scaleY * Math.sqrt(samples),
    );
    expect(Math.abs(found.sumY2[j]! - about.sumY2[j]!)).toBeLessThanOrEqual(tolerance * scaleY ** 2);
  }
}

const tolerances: readonly (readonly [Precision, tolerance: number])[] = [
  // Products are summed in float32 over 32 rows: an error of at most 32 / 2^24 of their scale, about the root of it in
  // practice, and the deviations themselves are rounded once (2^-24). 4e-7 leaves room for neither to be lost.
  ['fast', 4e-7],
  // Deviations are rounded to 2^-29 of the largest of their column, here at most five standard deviations: 1e-8 of one
  // for each sample, and by the root of the number of samples less for a sum. All else is exact to 2^-46.
  ['exact', 1e-9],
];

describe.for(tolerances)('precision %s', ([precision, tolerance]) => {
  test.for([
    [1, 1, [7]],
    [7, 2, [1, 1, 1]],
    [8, 1, [64]],
    [9, 4, [33, 95]],
    [45, 3, [128, 128, 17]],
    [64, 1, [1024]],
    [130, 1, [200, 900, 1]],
    [24, 2, [2500]],
    [24, 1, [100, 1025, 50]],
  ] as const)('sums over %d nodes, %d layer pairs, batches of %j', async ([nodes, pairs, sizes], { gpu }) => {
    const batches = sizes.map((size, b) => makeBatch(100 + b, size, nodes, pairs));
    const { found, expected } = await both(gpu, precision, nodes, pairs, batches);
    found.pairs.forEach((pair, p) => {
      expectClose(pair, expected.pairs[p]!, found.samples, tolerance);
    });
  });

  test('means a thousand and ten thousand deviations away lose nothing', async ({ gpu }) => {
    const columns = { mean: (node: number) => (node % 2 === 0 ? 1e3 : 1e4), deviation: () => 1 };
    const batches = [1, 2, 3].map((seed) => makeBatch(seed, 500, 21, 1, columns));
    const { found, expected } = await both(gpu, precision, 21, 1, batches);
    expectClose(found.pairs[0]!, expected.pairs[0]!, 1500, tolerance);
  });

  test('scales from 1e-12 to 1e12 side by side', async ({ gpu }) => {
    const scale = (node: number): number => 10 ** (node - 12);
    const columns = { mean: scale, deviation: scale };
    const batches = [1, 2].map((seed) => makeBatch(seed, 300, 25, 1, columns));
    const { found, expected } = await both(gpu, precision, 25, 1, batches);
    expectClose(found.pairs[0]!, expected.pairs[0]!, 600, tolerance);
  });

  test('magnitudes about 1e30 neither overflow nor lose digits', async ({ gpu }) => {
    const columns = { mean: () => 1e30, deviation: () => 3e29 };
    const batches = [1, 2].map((seed) => makeBatch(seed, 300, 5, 1, columns));
    const { found, expected } = await both(gpu, precision, 5, 1, batches);
    expectClose(found.pairs[0]!, expected.pairs[0]!, 600, tolerance);
  });

  test('columns that are equal have equal sums, bit for bit', async ({ gpu }) => {
    const nodes = 20;
    const batch = makeBatch(5, 700, nodes, 1);
    for (let row = 0; row < batch.size; row++) batch.x[0]![row * nodes + 13] = batch.x[0]![row * nodes + 2]!;
    const { found } = await both(gpu, precision, nodes, 1, [batch]);
    const { sumXX, sumXY } = found.pairs[0]!;
    expect(sumXX[2 * nodes + 13]).toBe(sumXX[2 * nodes + 2]);
    expect(sumXX[13 * nodes + 13]).toBe(sumXX[2 * nodes + 2]);
    for (let j = 0; j < nodes; j++) {
      expect(sumXX[13 * nodes + j]).toBe(sumXX[2 * nodes + j]);
      expect(sumXY[13 * nodes + j]).toBe(sumXY[2 * nodes + j]);
    }
  });
});

test.for(
  tolerances.flatMap(([precision, tolerance]) =>
    (['storage', 'shared'] as const).map((products) => [products, precision, tolerance] as const),
  ),
)(
  "products from '%s', '%s', are those of float64, to the edge of every tile",
  async ([products, precision, tolerance], { gpu }) => {
    // Neither nodes nor samples fill a whole tile, chunk or operand.
    const batches = [67, 70].map((size, seed) => makeBatch(seed, size, 75, 2));
    const { found, expected } = await both(gpu, precision, 75, 2, batches, { products });
    found.pairs.forEach((pair, p) => {
      expectClose(pair, expected.pairs[p]!, found.samples, tolerance);
    });
    // The same without matrices: panel by panel, and lines of listed sources.
    const formed = (await both(gpu, precision, 75, 2, batches, { products, memoryBytes: 1 })).found;
    expect(formed).toEqual(found);
  },
);
