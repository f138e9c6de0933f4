import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type CpuEngineOptions,
  createCpuEngine,
  type Engine,
  type EngineShape,
  raggedFromLists,
} from '../../../src/statistics.ts';
import { channelBatch, magnitudeBatch, request, shape } from '../../support/cpu-workers-case.ts';
import { largestError } from '../../support/largest-error.ts';
import { normalNumbers } from '../../support/random-numbers.ts';
import { statisticsCase } from '../../support/statistics-case.ts';

/** Precision 'fast' of the CPU engine. */
function fastEngine(of: EngineShape, options: CpuEngineOptions = {}): Engine {
  return createCpuEngine(of, { ...options, precision: 'fast' });
}

const fixtures = new URL('../../fixtures/statistics/', import.meta.url);
const names = readdirSync(fixtures).filter((name) => name.endsWith('.npz'));

test.each(names)(
  'correlations are within 1e-6 of the float64 oracle, and partial ones as exact as ever: %s',
  async (name) => {
    const data = statisticsCase(readFileSync(new URL(name, fixtures)));
    const { nodes, pairs, samples } = data;
    const engine = fastEngine({ nodes, pairs, reduction: 'l1' });
    const third = Math.ceil(samples / 3);
    for (let first = 0; first < samples; first += third) {
      await engine.accumulateMagnitudes(data.batch(first, Math.min(first + third, samples)));
    }
    const { ridge, varianceFloor, sets } = data;
    for (const score of ['corr', 'partial'] as const) {
      const settings = { score, ridge, varianceFloor, layerAgg: 'mean', conditioningSets: sets } as const;
      const { perPair } = await engine.score(settings);
      // Partial correlations are in float64, and those limits are as of 'exact' in cpu-plans.test.ts.
      const hard = ['condition-1e6.npz', 'mean-sd-1e3.npz'].includes(name);
      const within = score === 'corr' ? 1e-6 : hard ? 1e-8 : 1e-10;
      perPair.forEach((scores, p) => {
        const oracle = data.oracle(score).subarray(p * nodes ** 2, (p + 1) * nodes ** 2);
        expect(largestError(scores, oracle), score).toBeLessThan(within);
      });
    }
    await engine.release();
  },
);

/** Correlations in two passes of float64, `[i, j]`. */
function correlations(x: Float32Array, y: Float32Array, nodes: number): Float64Array {
  const rows = x.length / nodes;
  const centred = ([x, y] as const).map((values) => {
    const columns = Array.from({ length: nodes }, (_, i) =>
      Float64Array.from({ length: rows }, (_, k) => values[k * nodes + i]!),
    );
    return columns.map((column) => {
      const mean = column.reduce((sum, value) => sum + value, 0) / rows;
      const deviations = column.map((value) => value - mean);
      const norm = Math.sqrt(deviations.reduce((sum, value) => sum + value * value, 0));
      return deviations.map((value) => value / norm);
    });
  });
  return Float64Array.from({ length: nodes ** 2 }, (_, e) => {
    const [a, b] = [centred[0]![Math.floor(e / nodes)]!, centred[1]![e % nodes]!];
    return a.reduce((sum, value, k) => sum + value * b[k]!, 0);
  });
}

/** y goes with x to some degree: from not at all to entirely, and in the opposite direction. Scales differ by node. */
function batchesOf(rows: number, nodes: number, mean: number, drift: number) {
  const normal = normalNumbers(rows + mean);
  const x = new Float32Array(rows * nodes);
  const y = new Float32Array(rows * nodes);
  for (let k = 0; k < rows; k++) {
    const shared = normal();
    for (let i = 0; i < nodes; i++) {
      const at = k * nodes + i;
      const share = (2 * i) / (nodes - 1) - 1;
      x[at] = 10 ** (i % 5) * (mean + (drift * k) / rows + shared + 0.001 * normal());
      y[at] = 1e-9 * 10 ** -(i % 7) * (mean + share * shared + Math.sqrt(1 - share * share) * normal());
    }
  }
  return { x, y };
}

test.each([
  [300, 0, 0],
  [5000, 3, 0],
  [300, 1000, 0],
  // The first batch is not like the others: pivots are off by up to 20 standard deviations.
  [2000, 3, 20],
])('correlations of %i samples about %d standard deviations, drifting by %d', async (rows, mean, drift) => {
  const nodes = 20;
  const { x, y } = batchesOf(rows, nodes, mean, drift);
  const engine = fastEngine({ nodes, pairs: 1, reduction: 'l1' });
  for (let first = 0; first < rows; first += 100) {
    const part = (values: Float32Array) => [values.subarray(first * nodes, (first + 100) * nodes)];
    await engine.accumulateMagnitudes({ size: 100, x: part(x), y: part(y) });
  }
  const settings = { score: 'corr', layerAgg: 'mean', ridge: 1e-8 } as const;
  const conditioningSets = raggedFromLists(Array.from({ length: nodes }, () => []));
  const { perPair } = await engine.score({ ...settings, conditioningSets });
  const error = largestError(perPair[0]!, correlations(x, y, nodes));
  // method.md, "Sums in float32": 66 units of 2^-24, times kappa of either side. That of y is 1 but for the first mean.
  const { pairs } = await engine.statistics();
  const { sumX, sumXX, sumY, sumY2 } = pairs[0]!;
  const kappa = (sum: Float64Array, squares: (i: number) => number): number =>
    sum.reduce((most, s, i) => Math.max(most, Math.sqrt(squares(i) / (squares(i) - (s * s) / rows))), 1);
  const kappas = kappa(sumX, (i) => sumXX[i * nodes + i]!) * kappa(sumY, (i) => sumY2[i]!);
  expect(error).toBeLessThan(66 * 2 ** -24 * kappas);
  // What is seen is far from that: roundings do not conspire. It is float32's all the same.
  expect(error).toBeLessThan(2e-7 * kappas);
  expect(error).toBeGreaterThan(1e-10);
  await engine.release();
});

test('scores have the same bits with workers and without, held and formed panel by panel', async () => {
  const exact = createCpuEngine(shape, { workers: 0 });
  const found: unknown[] = [];
  for (const options of [
    { workers: 0 },
    { workers: 2 },
    { workers: 2, memory: 100_000 },
    { workers: 0, memory: 100_000 },
  ]) {
    const engine = fastEngine(shape, options);
    for (const [size, seed] of [
      [70, 1],
      [33, 2],
    ] as const) {
      await engine.accumulateMagnitudes(magnitudeBatch(size, seed));
      if (found.length === 0) await exact.accumulateMagnitudes(magnitudeBatch(size, seed));
      // Products over a part of a chunk.
      await engine.scores({ ...request, score: 'corr' });
    }
    // 32 N^2 P are 131,424 bytes.
    expect(engine.diagnostics.tiled ?? false).toBe(options.memory !== undefined);
    expect(engine.diagnostics.notes[0]).toMatch(
      /^plain correlations: float32 in chunks of 64 rows, float64 sums; else float64; WebAssembly SIMD/,
    );
    const { aggregated, perPair, nodeFlags } = await engine.score({ ...request, score: 'corr' });
    found.push({ aggregated, perPair, nodeFlags });
    // All else is in float64.
    expect(await engine.statistics()).toEqual(await exact.statistics());
    expect(await engine.score(request)).toEqual(await exact.score(request));
    expect((await engine.score({ ...request, score: 'corr' })).aggregated).toEqual(aggregated);
    await engine.release();
  }
  for (const other of found.slice(1)) expect(other).toEqual(found[0]);
  expect(found[0]).not.toEqual(await exact.score({ ...request, score: 'corr' }));
  await exact.release();
});

test('once samples are let go, or statistics join them, all is in float64', async () => {
  const settings = { ...request, score: 'corr' } as const;
  // Room for the sums, 32 N^2 P, and for samples 512, the least there is.
  const memory = 140_000;
  for (const [samples, merging] of [
    [600, false],
    [40, true],
  ] as const) {
    const [fast, exact] = [fastEngine(shape, { workers: 0, memory }), createCpuEngine(shape, { workers: 0 })];
    const scores = [];
    for (const engine of [fast, exact]) {
      await engine.accumulate(channelBatch(samples - 1, 3));
      await engine.accumulate(channelBatch(1, 4));
      if (merging) {
        await engine.score(settings);
        await engine.merge(await engine.statistics());
      }
      scores.push(await engine.score(settings));
    }
    expect(fast.diagnostics.plan).toBe('sums');
    expect(scores[0]).toEqual(scores[1]);
    await Promise.all([fast.release(), exact.release()]);
  }
});
