import { expect } from 'vitest';
import { createWebGpuEngine, type Precision, raggedFromLists } from '../../src/statistics.ts';
import { borrow } from '../../src/gpu/buffer.ts';
import { readBack } from '../../src/gpu/readback.ts';
import { WORKGROUP } from '../../src/engine/webgpu/scoring/score-kernels.ts';
import { PANEL, THREAD_SET, WORKGROUP_SET } from '../../src/engine/webgpu/scoring/partial-kernels.ts';
import { largestDifference } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';
import { againstTwin, factorBatch, magnitudesEngine } from '../support/score-twins.ts';
import { statisticsCase } from '../support/statistics-case.ts';

const fixtures = import.meta.glob('../fixtures/statistics/*.npz', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** What method.md, "Numbers to hold", asks of each fixture. */
const tolerances: Record<string, number> = { 'condition-1e6': 1e-4, 'mean-sd-1e3': 1e-5 };

/** Cases that ask for no more than short float32 chunks give. */
const enoughForFast = ['well-conditioned', 'no-parents', 'hub-parents', 'mean-sd-1e3', 'constant-nodes'];

const cases = Object.entries(fixtures).flatMap(([path, url]) => {
  const name = path.split('/').at(-1)!.replace('.npz', '');
  const precisions: Precision[] = enoughForFast.includes(name) ? ['exact', 'fast'] : ['exact'];
  return precisions.map((precision) => [name, precision, url] as const);
});

test.for(cases)('oracle case %s, precision %s', async ([name, precision, url], { gpu }) => {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const oracle = statisticsCase(bytes);
  const { nodes, pairs, samples } = oracle;
  const engine = await magnitudesEngine(gpu, nodes, pairs, precision);
  for (let first = 0; first < samples; first += 100) {
    await engine.accumulateMagnitudes(oracle.batch(first, Math.min(first + 100, samples)));
  }
  for (const score of ['corr', 'partial'] as const) {
    for (const layerAgg of ['mean', 'max'] as const) {
      const { ridge, varianceFloor, sets: conditioningSets } = oracle;
      const request = { score, layerAgg, ridge, varianceFloor, conditioningSets };
      const { perPair, aggregated } = await engine.score(request);
      const tolerance = tolerances[name] ?? 1e-6;
      const expected = oracle.oracle(score);
      perPair.forEach((scores, p) => {
        const pair = expected.subarray(p * nodes * nodes, (p + 1) * nodes * nodes);
        expect(largestDifference(scores, pair), `${score}, pair ${p}`).toBeLessThanOrEqual(tolerance);
      });
      // Where two pairs have scores of nearly the same size and different signs, 'max' may take either.
      const close = largestDifference(aggregated, oracle.oracle(`${score}_${layerAgg}`));
      expect(close, `${score}, ${layerAgg}`).toBeLessThanOrEqual(tolerance);
    }
  }
  await engine.release();
});

test('conditioning sets of every size from 0 to 40', async ({ gpu }) => {
  const nodes = 61;
  const sets = Array.from({ length: nodes }, (_, target) =>
    Array.from({ length: nodes }, (_, source) => source)
      .filter((source) => source !== target)
      .slice(0, Math.min(target, 40)),
  );
  const worst = await againstTwin(gpu, factorBatch(3, 400, nodes), nodes, {
    conditioningSets: raggedFromLists(sets),
  });
  expect(worst).toBeLessThanOrEqual(1e-6);
});

test('conditioning sets at the bounds of the kernels for small, middle and large ones', async ({ gpu }) => {
  const nodes = 140;
  const bounds = [THREAD_SET, PANEL, WORKGROUP_SET, WORKGROUP].flatMap((size) => [size, size + 1]);
  const sizes = [0, 1, 2, ...bounds, WORKGROUP - 1, 2 * WORKGROUP - 1, 2 * WORKGROUP];
  const sets = Array.from({ length: nodes }, (_, target) =>
    Array.from({ length: sizes[target] ?? 0 }, (_, k) => (target + 1 + k) % nodes).sort((a, b) => a - b),
  );
  const worst = await againstTwin(gpu, factorBatch(6, 700, nodes), nodes, {
    conditioningSets: raggedFromLists(sets),
  });
  expect(worst).toBeLessThanOrEqual(1e-6);
});

test('a conditioning set of 150 beside sets of one', async ({ gpu }) => {
  const nodes = 170;
  const sets = Array.from({ length: nodes }, (_, target) =>
    target === 160 ? Array.from({ length: 150 }, (_, source) => source) : [(target + 1) % nodes],
  );
  const worst = await againstTwin(gpu, factorBatch(4, 900, nodes), nodes, {
    conditioningSets: raggedFromLists(sets),
  });
  expect(worst).toBeLessThanOrEqual(1e-6);
});

test.for([0, 1e-8, 1, 1e4])('a source that equals a parent, ridge %d', async (ridge, { gpu }) => {
  const nodes = 12;
  const batch = factorBatch(5, 300, nodes);
  for (let row = 0; row < batch.size; row++) batch.x[0]![row * nodes + 9] = batch.x[0]![row * nodes + 4]!;
  const sets = Array.from({ length: nodes }, (_, target) => [1, 4, 6].filter((source) => source !== target));
  const worst = await againstTwin(gpu, batch, nodes, { ridge, conditioningSets: raggedFromLists(sets) });
  // With a ridge of 1e-8 what is left of the source's variance is of that size: the rounding of the sums (2^-24 of a
  // chunk) shows in it, scaled by the square root of the ridge.
  expect(worst).toBeLessThanOrEqual(1e-6);
});

test('matrices cut into panels of rows give the same scores', async ({ gpu }) => {
  const nodes = 61;
  const sets = Array.from({ length: nodes }, (_, target) =>
    Array.from({ length: Math.min(target, 40) }, (_, k) => (target + 7 * k + 3) % nodes)
      .filter((source) => source !== target)
      .sort((a, b) => a - b),
  );
  const request = { layerAgg: 'mean', ridge: 1e-8, conditioningSets: raggedFromLists(sets) } as const;
  const shape = { nodes, pairs: 2, reduction: 'l1' } as const;
  const whole = await createWebGpuEngine({ device: gpu.device, shape });
  // Room for 16 of 64 rows.
  const cut = await createWebGpuEngine({ device: gpu.device, shape, bindingBytes: 8 * 64 * 23 });
  const [first, second] = [factorBatch(8, 300, nodes), factorBatch(9, 300, nodes)];
  const batch = { size: 300, x: [first.x[0]!, second.x[0]!], y: [first.y[0]!, second.y[0]!] };
  // Two equal parents: their targets are settled on the host, from sums gathered over the panels.
  for (let row = 0; row < 300; row++) batch.x[1]![row * nodes + 50] = batch.x[1]![row * nodes + 3]!;
  for (const engine of [whole, cut]) await engine.accumulateMagnitudes(batch);
  await cut.merge(await whole.statistics());
  await whole.accumulateMagnitudes(batch);
  for (const score of ['corr', 'partial'] as const) {
    const expected = await whole.score({ ...request, score });
    const found = await cut.score({ ...request, score });
    // The same samples twice over, the second time merged in float64: their sums round in different places.
    expect(largestDifference(found.aggregated, expected.aggregated)).toBeLessThanOrEqual(1e-7);
    found.perPair.forEach((scores, p) => {
      expect(largestDifference(scores, expected.perPair[p]!)).toBeLessThanOrEqual(1e-7);
    });
  }
  await Promise.all([whole.release(), cut.release()]);
});

test('two samples more than the conditioning set', async ({ gpu }) => {
  const nodes = 10;
  const sets = Array.from({ length: nodes }, (_, target) =>
    [0, 1, 2, 3].filter((source) => source !== target),
  );
  const worst = await againstTwin(gpu, factorBatch(6, 6, nodes), nodes, {
    conditioningSets: raggedFromLists(sets),
  });
  expect(worst).toBeLessThanOrEqual(1e-6);
});

test('scores stay in the buffers that the handle tells of, whatever comes after them', async ({ gpu }) => {
  const nodes = 61;
  const shape = { nodes, pairs: 1, reduction: 'l1' } as const;
  // Room for 16 of 64 rows, and two equal parents: one target is settled on the host and placed into the panels.
  const engine = await createWebGpuEngine({ device: gpu.device, shape, bindingBytes: 8 * 64 * 23 });
  const batch = factorBatch(8, 300, nodes);
  for (let row = 0; row < 300; row++) batch.x[0]![row * nodes + 50] = batch.x[0]![row * nodes + 3]!;
  await engine.accumulateMagnitudes(batch);
  const sets = Array.from({ length: nodes }, (_, target) =>
    target === 20 ? [3, 50] : target > 40 ? [7] : [],
  );
  const request = {
    score: 'partial',
    layerAgg: 'mean',
    ridge: 0,
    conditioningSets: raggedFromLists(sets),
  } as const;
  const expected = await engine.score(request);
  const scores = await engine.scores(request);
  await engine.accumulateMagnitudes(factorBatch(9, 300, nodes));
  const { device, panels, aggregated, perPair } = scores.gpu!;
  expect(device).toBe(gpu.device);
  expect(panels.map(({ row }) => row)).toEqual([0, 16, 32, 48]);
  expect(panels.at(-1)!.rows).toBe(61 - 48);
  for (const [buffers, matrix] of [
    [aggregated, expected.aggregated],
    [perPair[0]!, expected.perPair[0]!],
  ] as const) {
    const found = new Uint32Array(nodes * nodes);
    for (const [q, { row, rows }] of panels.entries()) {
      const [bytes] = await readBack(gpu, [borrow(buffers[q]!, 0, 4 * rows * nodes)]);
      found.set(new Uint32Array(bytes!), row * nodes);
    }
    const floats = new Float32Array(found.buffer);
    const bySource = matrix.map((_, e) => floats[(e % nodes) * nodes + Math.floor(e / nodes)]!);
    expect(largestDifference(bySource, matrix)).toBe(0);
    // No score: the diagonal of conditioned targets, the parents, and the target whose set is singular.
    expect(found[50 * nodes + 50]).toBe(0x7fc00000);
    expect(found[45 * nodes + 7]).toBe(0x7fc00000);
    expect(found[20 * nodes + 5]).toBe(0x7fc00000);
    expect(found[21 * nodes + 5]).not.toBe(0x7fc00000);
  }
  expect(largestDifference(await scores.aggregate(), expected.aggregated)).toBe(0);
  scores.release();
  scores.release();
  await expect(scores.matrices()).rejects.toThrow('have been released');
  await engine.release();
});
