/** What is kept of the samples, magnitudes or sums, must not show in what comes out. */
import { expect, vi } from 'vitest';
import {
  createCpuEngine,
  createWebGpuEngine,
  type Engine,
  type MagnitudeBatch,
  raggedFromLists,
} from '../../src/statistics.ts';
import { planMemory } from '../../src/engine/webgpu/memory-plan.ts';
import type { GpuContext } from '../../src/gpu/device.ts';
import { layoutOf } from '../../src/engine/webgpu/statistics/layout.ts';
import { largestDifference, normalNumbers } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';
import { refusal } from '../support/refusal.ts';

const nodes = 37;
const pairs = 2;
const shape = { nodes, pairs, reduction: 'l1' as const };
const sets = raggedFromLists(
  Array.from({ length: nodes }, (_, j) => [1, 5, 17].map((step) => (j + step) % nodes).sort((a, b) => a - b)),
);

/** Matrices of this many nodes are more than a byte, so they are never held. */
const FORMED = { memoryBytes: 1 };

function makeBatch(seed: number, size: number): MagnitudeBatch {
  const normal = normalNumbers(seed);
  const matrix = (): Float32Array => {
    const values = new Float32Array(size * nodes);
    for (let row = 0; row < size; row++) {
      const factor = normal();
      for (let node = 0; node < nodes; node++) values[row * nodes + node] = 9 + 0.6 * factor + normal();
    }
    return values;
  };
  return { size, x: [matrix(), matrix()], y: [matrix(), matrix()] };
}

function create(gpu: GpuContext, options: { memoryBytes?: number; bindingBytes?: number }): Promise<Engine> {
  return createWebGpuEngine({ device: gpu.device, shape, ...options });
}

async function scoresOf(engine: Engine, score: 'corr' | 'partial'): Promise<ArrayLike<number>> {
  const scores = await engine.score({ score, layerAgg: 'mean', ridge: 1e-8, conditioningSets: sets });
  return scores.aggregated;
}

test.for([
  ['held', {}],
  ['held, in panels', { bindingBytes: 8 * 40 * 16 }],
  ['formed', FORMED],
  ['formed, in panels', { ...FORMED, bindingBytes: 8 * 40 * 16 }],
] as const)(
  'matrices %s: scores at any time are those of all samples so far',
  async ([, options], { gpu }) => {
    const engine = await create(gpu, options);
    const twin = createCpuEngine(shape);
    // Products that one score has asked for, the other has not, and rows that came in between.
    for (const [seed, score] of (['corr', 'corr', 'partial', 'corr', 'partial'] as const).entries()) {
      const batch = makeBatch(seed, 30 + seed);
      await engine.accumulateMagnitudes(batch);
      await twin.accumulateMagnitudes(batch);
      // Scores are float32.
      expect(
        largestDifference(await scoresOf(engine, score), await scoresOf(twin, score)),
      ).toBeLessThanOrEqual(1e-7);
    }
    expect(await engine.flush()).toBe(5 * 32);
    await engine.release();
    await twin.release();
  },
);

test('where memory is short, nothing is held and the scores are the same, bit for bit', async ({ gpu }) => {
  const held = await create(gpu, {});
  const formed = await create(gpu, FORMED);
  for (const engine of [held, formed]) {
    for (const seed of [1, 2]) await engine.accumulateMagnitudes(makeBatch(seed, 300));
  }
  expect(formed.diagnostics.plan).toBe('magnitudes');
  for (const score of ['corr', 'partial'] as const) {
    expect(await scoresOf(formed, score)).toEqual(await scoresOf(held, score));
  }
  expect(await formed.statistics()).toEqual(await held.statistics());
  await held.release();
  await formed.release();
});

test('where memory is short, a panel of products is formed once for all targets in it', async ({ gpu }) => {
  // Sets too different in size to be solved together: the panel is asked for by one block of targets after the other.
  const uneven = raggedFromLists(
    Array.from({ length: nodes }, (_, j) =>
      Array.from({ length: j === 0 ? 35 : 2 }, (_, k) => (j + 1 + k) % nodes).sort((a, b) => a - b),
    ),
  );
  const emptied: string[] = [];
  const createEncoder = gpu.device.createCommandEncoder.bind(gpu.device);
  const spy = vi.spyOn(gpu.device, 'createCommandEncoder').mockImplementation((descriptor) => {
    const encoder = createEncoder(descriptor);
    const clear = encoder.clearBuffer.bind(encoder);
    encoder.clearBuffer = (buffer, ...range) => {
      emptied.push(buffer.label);
      clear(buffer, ...range);
    };
    return encoder;
  });
  const formed = await create(gpu, FORMED);
  const held = await create(gpu, {});
  const request = { score: 'partial', layerAgg: 'mean', ridge: 1e-8, conditioningSets: uneven } as const;
  try {
    const panels = (): number => emptied.filter((label) => label === 'a panel of X^T Y').length;
    await formed.accumulateMagnitudes(makeBatch(1, 60));
    await formed.score(request);
    expect(panels()).toBe(pairs);
    // What it holds is of the samples then: those that have come since are in the next scores.
    await formed.accumulateMagnitudes(makeBatch(2, 60));
    for (const seed of [1, 2]) await held.accumulateMagnitudes(makeBatch(seed, 60));
    expect((await formed.score(request)).aggregated).toEqual((await held.score(request)).aggregated);
    expect(panels()).toBe(2 * pairs);
  } finally {
    spy.mockRestore();
    await held.release();
    await formed.release();
  }
});

test('magnitudes are kept while they take less room than the sums, then join them for good', async ({
  gpu,
}) => {
  // Chunks of 64 rows, two of which take the room of the matrices.
  const wide = { nodes: 64, pairs: 1, reduction: 'l1' as const };
  const engine = await createWebGpuEngine({ device: gpu.device, shape: wide, bindingBytes: 4 * 64 * 2 * 64 });
  const twin = createCpuEngine(wide);
  const plans: (string | undefined)[] = [];
  for (let seed = 0; seed < 5; seed++) {
    const normal = normalNumbers(seed);
    const matrix = (): Float32Array => Float32Array.from({ length: 50 * 64 }, () => 3 + normal());
    const batch = { size: 50, x: [matrix()], y: [matrix()] };
    await engine.accumulateMagnitudes(batch);
    await twin.accumulateMagnitudes(batch);
    plans.push(engine.diagnostics.plan);
  }
  expect(plans).toEqual(['magnitudes', 'magnitudes', 'sums', 'sums', 'sums']);
  const conditioningSets = raggedFromLists(Array.from({ length: 64 }, (_, j) => (j === 0 ? [] : [j - 1])));
  const request = { score: 'partial', layerAgg: 'mean', ridge: 1e-8, conditioningSets } as const;
  const [found, expected] = await Promise.all(
    [engine, twin].map(async (each) => (await each.score(request)).aggregated),
  );
  expect(largestDifference(found!, expected!)).toBeLessThanOrEqual(1e-7);
  engine.reset();
  await engine.flush();
  expect(engine.diagnostics.plan).toBe('magnitudes');
  await engine.release();
  await twin.release();
});

test.for([
  ['held', {}],
  ['formed', { memoryBytes: 577_599 }],
] as const)('matrices %s: a refused batch leaves the kept rows before it', async ([, options], { gpu }) => {
  // Chunks of 64 rows, of which two are kept; matrices take a byte more than the memory that is there.
  const wide = { nodes: 190, pairs: 1, reduction: 'l1' as const };
  const make = (): Promise<Engine> =>
    createWebGpuEngine({ device: gpu.device, shape: wide, bindingBytes: 2 ** 17, ...options });
  const [engine, only] = await Promise.all([make(), make()]);
  const batch = (seed: number, size: number): MagnitudeBatch => {
    const normal = normalNumbers(seed);
    const matrix = (): Float32Array => Float32Array.from({ length: size * 190 }, () => 3 + normal());
    return { size, x: [matrix()], y: [matrix()] };
  };
  for (const each of [engine, only]) {
    // The second begins a chunk of its own.
    for (const [seed, size] of [40, 30].entries()) await each.accumulateMagnitudes(batch(seed, size));
  }
  const bad = batch(7, 20);
  bad.y[0]![5] = NaN;
  const thrown = await refusal(
    (async () => {
      await engine.accumulateMagnitudes(bad);
      await engine.accumulateMagnitudes(batch(8, 14));
      await engine.flush();
    })(),
  );
  expect(thrown.details).toEqual({ batch: 2, quantity: 'gradient', layer: 1, node: 5 });
  expect(engine.diagnostics.plan).toBe('magnitudes');
  expect(await engine.statistics()).toEqual(await only.statistics());
  // Short of room for the rows, formed products become held ones; nothing is lost then either.
  for (const seed of [10, 11, 12, 13, 14]) await only.accumulateMagnitudes(batch(seed, 60));
  expect(only.diagnostics.plan).toBe('sums');
  expect((await only.statistics()).samples).toBe(370);
  await engine.release();
  await only.release();
});

test('ten thousand nodes are planned for in eight gigabytes', ({ gpu }) => {
  const memory = planMemory(gpu, 10_000, 4, 4 * 2 ** 30);
  expect(memory.matrices).toBe('formed');
  const layout = layoutOf(gpu, 10_000, 4, { bindingBytes: 128 * 2 ** 20, panelBytes: 256 * 2 ** 20 });
  // At least 512 samples for each time that sums are read and written.
  expect(layout.chunkRows).toBeGreaterThanOrEqual(512);
  expect(memory.chunks(layout) * layout.chunkRows).toBeGreaterThanOrEqual(2048);
  expect(layout.panels.reduce((rows, panel) => rows + panel.rows, 0)).toBe(10_000);
  expect(Math.max(...layout.panels.map(({ rows }) => 8 * rows * layout.stride))).toBeLessThanOrEqual(
    128 * 2 ** 20,
  );
});

test('a way of forming products that there is not is refused', async ({ gpu }) => {
  const products = 'timed' as 'shared';
  const thrown = await refusal(createWebGpuEngine({ device: gpu.device, shape, products }));
  expect(thrown.code).toBe('invalid-argument');
  expect(thrown.message).toBe("products is 'timed', one of 'storage', 'shared' was expected.");
});
