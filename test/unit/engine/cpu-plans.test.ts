import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { createCpuEngine, type ScoreRequest, type SufficientStatistics } from '../../../src/statistics.ts';
import { LocalSnapshot } from '../../../src/engine/cpu/local-snapshot.ts';
import { CpuAccumulator } from '../../../src/statistics/cpu-accumulator.ts';
import { runToEnd } from '../../../src/statistics/yielder.ts';
import { TiledMatmul } from '../../../src/statistics/tiled-matmul.ts';
import { channelBatch, magnitudeBatch, request, shape } from '../../support/cpu-workers-case.ts';
import { largestError } from '../../support/largest-error.ts';
import { refusal } from '../../support/refusal.ts';
import { statisticsCase } from '../../support/statistics-case.ts';

/** Scores of the layer pairs from what an accumulator holds. */
async function scoresOf(
  accumulator: CpuAccumulator,
  request: ScoreRequest,
): Promise<readonly Float64Array[]> {
  const out = accumulator.pairs.map(() => new Float64Array(accumulator.nodes ** 2));
  return (await new LocalSnapshot(accumulator).scores(request, out)).perPair;
}

const fixtures = new URL('../../fixtures/statistics/', import.meta.url);
const names = readdirSync(fixtures).filter((name) => name.endsWith('.npz'));

/** As in cpu-engine.test.ts: only condition and mean cost digits of float64. */
const tolerance: Record<string, number> = { 'condition-1e6.npz': 1e-8, 'mean-sd-1e3.npz': 1e-8 };

describe.each(names)('every plan against the float64 oracle: %s', (name) => {
  const data = statisticsCase(readFileSync(new URL(name, fixtures)));
  const { nodes, pairs, samples } = data;
  const sets = {
    ridge: data.ridge,
    varianceFloor: data.varianceFloor,
    layerAgg: 'mean',
    conditioningSets: data.sets,
  } as const;

  /** Expects the scores of every pair after some of the samples, or all of them. */
  async function expectOracle(accumulator: CpuAccumulator, score: 'corr' | 'partial', within: number) {
    const perPair = await scoresOf(accumulator, { score, ...sets });
    perPair.forEach((scores, p) => {
      const oracle = data.oracle(score).subarray(p * nodes ** 2, (p + 1) * nodes ** 2);
      expect(largestError(scores, oracle)).toBeLessThan(within);
    });
  }

  function add(accumulator: CpuAccumulator, first: number, end: number): void {
    const { x, y, size } = data.batch(first, end);
    accumulator.add(x, y, size);
    runToEnd(accumulator.drain());
  }

  test('magnitudes kept, scored now and then while they come', async () => {
    const accumulator = new CpuAccumulator(nodes, pairs);
    const third = Math.ceil(samples / 3);
    for (const score of ['corr', 'partial', 'corr'] as const) {
      const first = accumulator.samples;
      add(accumulator, first, Math.min(first + third, samples));
      await scoresOf(accumulator, { score, ...sets });
    }
    for (const score of ['partial', 'corr'] as const) {
      await expectOracle(accumulator, score, tolerance[name] ?? 1e-10);
    }
  });

  test('panel by panel, without sums', async () => {
    // Small tiles and no room for sums.
    const accumulator = new CpuAccumulator(nodes, pairs, {
      memory: 0,
      matmul: new TiledMatmul(nodes, undefined, 0),
    });
    add(accumulator, 0, samples);
    const snapshot = new LocalSnapshot(accumulator);
    for (const score of ['corr', 'partial'] as const) {
      await snapshot.panels({ score, ...sets }, (p, { first, end }, scores) => {
        const oracle = data.oracle(score).subarray(p * nodes ** 2, (p + 1) * nodes ** 2);
        for (let source = 0; source < nodes; source++) {
          const found = scores.subarray(source * (end - first), (source + 1) * (end - first));
          const expected = oracle.subarray(source * nodes + first, source * nodes + end);
          expect(largestError(found, expected)).toBeLessThan(tolerance[name] ?? 1e-10);
        }
      });
    }
    expect(accumulator.tiled).toBe(true);
    // Statistics are a copy: there are no sums afterwards either.
    const twin = new CpuAccumulator(nodes, pairs);
    add(twin, 0, samples);
    expect(accumulator.statistics()).toEqual(twin.statistics());
    expect(accumulator.tiled).toBe(true);
  });

  test('statistics of other samples merged in, whatever the plans', async () => {
    const half = Math.ceil(samples / 2);
    const other = new CpuAccumulator(nodes, pairs);
    add(other, half, samples);
    const rest: SufficientStatistics = other.statistics();
    for (const memory of [Infinity, 0]) {
      for (const order of ['merge first', 'merge last'] as const) {
        const accumulator = new CpuAccumulator(nodes, pairs, { memory });
        if (order === 'merge first') runToEnd(accumulator.merge(rest));
        add(accumulator, 0, half);
        if (order === 'merge last') runToEnd(accumulator.merge(rest));
        for (const score of ['corr', 'partial'] as const) {
          await expectOracle(accumulator, score, tolerance[name] ?? 1e-10);
        }
      }
    }
  });
});

describe('an engine without room for sums', () => {
  // Sums of 37 nodes and 3 pairs take 65,712 bytes; magnitudes 888 a sample.
  const memory = 50_000;

  it.each([0, 2])('keeps magnitudes and scores as one with sums does, with %i workers', async (workers) => {
    const engine = createCpuEngine(shape, { workers, memory });
    const twin = createCpuEngine(shape, { workers: 0 });
    for (const one of [engine, twin]) {
      await one.accumulate(channelBatch(30, 1));
      await one.accumulateMagnitudes(magnitudeBatch(20, 2));
      expect(await one.flush()).toBe(50);
    }
    for (const score of ['corr', 'partial'] as const) {
      const [found, expected] = [
        await engine.score({ ...request, score }),
        await twin.score({ ...request, score }),
      ];
      expect(found.perPair[0]).toBeInstanceOf(Float64Array);
      found.perPair.forEach((scores, p) => {
        // Magnitudes from channels are kept as float32 deviations, rounded by 2^-25 of themselves.
        expect(largestError(scores, expected.perPair[p]!)).toBeLessThan(1e-6);
      });
      expect(largestError(found.aggregated, expected.aggregated)).toBeLessThan(1e-6);
    }
    expect(engine.diagnostics.plan).toBe('magnitudes');
    expect(engine.diagnostics.notes[1]).toContain('panel by panel');
    expect(twin.diagnostics.notes[1]).toContain('computed on request');
    await engine.release();
    await twin.release();
  });

  it.each([0, 2])(
    'refuses samples beyond its room with figures, and keeps those before, with %i workers',
    async (workers) => {
      const engine = createCpuEngine(shape, { workers, memory });
      await engine.accumulateMagnitudes(magnitudeBatch(50, 1));
      const before = await engine.score(request);
      const error = await refusal(engine.accumulateMagnitudes(magnitudeBatch(7, 2)));
      expect(error.code).toBe('out-of-memory');
      expect(error.message).toContain('57 samples, 37 function nodes and 3 layer pairs take 50616 bytes');
      expect(await engine.flush()).toBe(50);
      expect(await engine.score(request)).toEqual(before);
      // Six more fit.
      await engine.accumulateMagnitudes(magnitudeBatch(6, 2));
      // Statistics are a copy: there are no sums afterwards either.
      const statistics = await engine.statistics();
      expect(statistics.samples).toBe(56);
      expect((await refusal(engine.accumulateMagnitudes(magnitudeBatch(7, 3)))).code).toBe('out-of-memory');
      // Those of a file are sums, whatever room they take, and samples are no longer kept.
      await engine.merge(statistics);
      await engine.accumulateMagnitudes(magnitudeBatch(50, 3));
      expect(await engine.flush()).toBe(162);
      engine.reset();
      await engine.accumulateMagnitudes(magnitudeBatch(5, 1));
      expect(await engine.flush()).toBe(5);
      expect(engine.diagnostics.notes[1]).toContain('panel by panel');
      await engine.release();
    },
  );

  it('says when products are added as batches come', async () => {
    const engine = createCpuEngine(shape, { workers: 1 });
    for (let batch = 0; batch < 5; batch++) await engine.accumulateMagnitudes(magnitudeBatch(250, batch));
    expect(await engine.flush()).toBe(1250);
    expect(engine.diagnostics.plan).toBe('sums');
    expect(engine.diagnostics.notes[1]).toContain('batch by batch');
    await engine.release();
  });

  it.each([-1, NaN])('%d bytes are none', (bytes) => {
    expect(() => createCpuEngine(shape, { memory: bytes })).toThrow(/^memory must be a number of bytes/);
  });
});
