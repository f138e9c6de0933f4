import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  covariances,
  mergeStatistics,
  shiftPivot,
  type SufficientStatistics,
} from '../../../src/statistics.ts';
import { chunkedBlockKernel } from '../../../src/statistics/chunked-blocks.ts';
import { CpuAccumulator } from '../../../src/statistics/cpu-accumulator.ts';
import { runToEnd } from '../../../src/statistics/yielder.ts';
import { TiledMatmul } from '../../../src/statistics/tiled-matmul.ts';
import { magnitudes } from './random-magnitudes.ts';

/** Covariances by the definition, in two passes. */
function twoPass(a: Float32Array, b: Float32Array, samples: number, nodes: number): Float64Array {
  const mean = (values: Float32Array, i: number): number => {
    let sum = 0;
    for (let k = 0; k < samples; k++) sum += values[k * nodes + i]!;
    return sum / samples;
  };
  const means = Array.from({ length: nodes }, (_, i) => [mean(a, i), mean(b, i)] as const);
  return Float64Array.from({ length: nodes * nodes }, (_, element) => {
    const [i, j] = [Math.floor(element / nodes), element % nodes];
    let sum = 0;
    for (let k = 0; k < samples; k++)
      sum += (a[k * nodes + i]! - means[i]![0]) * (b[k * nodes + j]! - means[j]![1]);
    return sum / samples;
  });
}

function largestDifference(found: Float64Array, expected: Float64Array): number {
  expect(found.length).toBe(expected.length);
  return found.reduce((worst, value, k) => Math.max(worst, Math.abs(value - expected[k]!)), 0);
}

function accumulate(
  { x, y }: { x: Float32Array; y: Float32Array },
  nodes: number,
  batchSizes: readonly number[],
): SufficientStatistics {
  const accumulator = new CpuAccumulator(nodes, 1);
  let at = 0;
  for (const size of batchSizes) {
    const end = at + size * nodes;
    accumulator.add([x.subarray(at, end)], [y.subarray(at, end)], size);
    at = end;
  }
  return accumulator.statistics();
}

/** What may happen between two batches: nothing changes by it but when products are formed. */
const between = fc.constantFrom('nothing', 'settle', 'form ahead', 'form xy', 'form all', 'statistics');

test('X^T Y of plain correlations may be formed at any time, and is the same to the bit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 21 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), between), { minLength: 1, maxLength: 8 }),
      // Room for 512 rows, or for all.
      fc.constantFrom(20_000, Infinity),
      (nodes, batches, memory) => {
        const samples = batches.reduce((sum, [size]) => sum + size, 0);
        const data = magnitudes(samples, nodes, samples, 3);
        const plainMatmul = new TiledMatmul(nodes, chunkedBlockKernel());
        const [accumulator, twin] = [{ plainMatmul, memory }, {}].map(
          (options) => new CpuAccumulator(nodes, 1, options),
        );
        const [pair] = accumulator!.pairs;
        let at = 0;
        for (const [size, action] of batches) {
          const batch = [data.x, data.y].map((values) => [values.subarray(at, at + size * nodes)] as const);
          at += size * nodes;
          for (const each of [accumulator!, twin!]) {
            each.add(batch[0]!, batch[1]!, size);
            runToEnd(each.drain());
          }
          if (action === 'form ahead') while (runToEnd(accumulator!.formAhead()));
          if (action === 'form xy') runToEnd(pair!.form(false));
          if (action === 'form all') runToEnd(pair!.form(true));
          if (action === 'statistics') expect(accumulator!.statistics()).toEqual(twin!.statistics());
        }
        const inChunks = pair!.formsPlain;
        expect(inChunks).toBe(accumulator!.plan === 'magnitudes');
        runToEnd(pair!.form(false));
        // All rows after the first batch, which fixes the pivots, at once.
        const whole = new CpuAccumulator(nodes, 1, { plainMatmul });
        const cut = batches[0]![0] * nodes;
        whole.add([data.x.subarray(0, cut)], [data.y.subarray(0, cut)], batches[0]![0]);
        whole.add([data.x.subarray(cut)], [data.y.subarray(cut)], samples - batches[0]![0]);
        runToEnd(whole.pairs[0]!.form(false));
        const statistics = twin!.statistics();
        const [{ sumXY }] = statistics.pairs as [(typeof statistics.pairs)[0]];
        if (inChunks) expect(pair!.plain.sums).toEqual(whole.pairs[0]!.plain.sums);
        else expect(pair!.plain.sums).toEqual(sumXY);
        // A row adds 2.2 x 2.2 to a sum of |products| at most, of which 66 units of 2^-24 are the error.
        expect(largestDifference(pair!.plain.sums, sumXY)).toBeLessThan(66 * 2 ** -24 * 2.2 ** 2 * samples);
        // Statistics are in float64 whatever was asked before.
        expect(accumulator!.statistics()).toEqual(statistics);
      },
    ),
    { numRuns: 60 },
  );
});

test('products may be formed at any time, and are the same to the bit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 21 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 600 }), between), { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      (nodes, batches, tiled) => {
        const samples = batches.reduce((sum, [size]) => sum + size, 0);
        const data = magnitudes(samples, nodes, samples, 3);
        const accumulator = new CpuAccumulator(nodes, 1, tiled ? { memory: 0 } : {});
        const [pair] = accumulator.pairs;
        let at = 0;
        for (const [size, action] of batches) {
          const end = at + size * nodes;
          accumulator.add([data.x.subarray(at, end)], [data.y.subarray(at, end)], size);
          at = end;
          if (action === 'settle') runToEnd(accumulator.drain());
          if (action === 'form ahead') {
            while (runToEnd(accumulator.formAhead())) expect(tiled).toBe(false);
            // Those who are few go on waiting.
            if (!tiled) expect(pair!.x.rows.end - pair!.xy.seen).toBeLessThan(512);
          }
          // Without sums no products are kept.
          if (action === 'form xy' && !tiled) runToEnd(pair!.form(false));
          if (action === 'form all' && !tiled) runToEnd(pair!.form(true));
          if (action === 'statistics') expect(accumulator.statistics().samples).toBe(at / nodes);
        }
        const statistics = accumulator.statistics();
        const sizes = batches.map(([size]) => size);
        expect(statistics).toEqual(accumulate(data, nodes, sizes));
        const found = covariances(statistics.pairs[0]!, samples);
        // Values of spread 1 about the pivot: rounding of at most 3200 float64 sums.
        const [covXY, covXX] = [data.y, data.x].map((other) => twoPass(data.x, other, samples, nodes));
        expect(largestDifference(found.covXY, covXY!)).toBeLessThan(1e-12);
        expect(largestDifference(found.covXX, covXX!)).toBeLessThan(1e-12);
        // The moments that plain correlations take come from sums of columns, not from the products.
        const { varX, varY } = pair!.moments(samples);
        expect(largestDifference(varX, found.varX)).toBeLessThan(1e-12);
        expect(largestDifference(varY, found.varY)).toBeLessThan(1e-12);
      },
    ),
    { numRuns: 60 },
  );
});

test('rows wait until they take more room than the sums, and not beyond', () => {
  // 16 N^2 bytes of sums are 2 N rows of float32; a piece of 256 rows is taken at a time.
  const nodes = 300;
  const accumulator = new CpuAccumulator(nodes, 1);
  const [pair] = accumulator.pairs;
  const { x, y } = magnitudes(256, nodes, 1);
  for (const [rows, plan, waiting] of [
    [256, 'magnitudes', 256],
    [512, 'magnitudes', 512],
    [768, 'sums', 0],
    [1024, 'sums', 256],
    [1280, 'sums', 0],
  ] as const) {
    accumulator.add([x], [y], 256);
    runToEnd(accumulator.drain());
    expect([accumulator.samples, accumulator.plan, pair!.waitingRows]).toEqual([rows, plan, waiting]);
  }
  expect(pair!.keptBytes).toBe(0);
});

/** Node counts around the widths of the kernels, samples around the chunk, batches of any size. */
const setups = fc.record({
  nodes: fc.integer({ min: 1, max: 21 }),
  batchSizes: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
  seed: fc.nat(1e6),
  mean: fc.constantFrom(0, 3, 1000),
});

test('covariances are those of two passes over all samples', () => {
  fc.assert(
    fc.property(setups, ({ nodes, batchSizes, seed, mean }) => {
      const samples = batchSizes.reduce((sum, size) => sum + size);
      const data = magnitudes(samples, nodes, seed, mean);
      const { pairs, samples: counted } = accumulate(data, nodes, batchSizes);
      expect(counted).toBe(samples);
      const found = covariances(pairs[0]!, samples);
      // Values of spread 1 about the pivot: rounding of at most 1200 float64 sums.
      expect(largestDifference(found.covXY, twoPass(data.x, data.y, samples, nodes))).toBeLessThan(1e-12);
      expect(largestDifference(found.covXX, twoPass(data.x, data.x, samples, nodes))).toBeLessThan(1e-12);
      found.varX.forEach((variance, i) => {
        expect(variance).toBe(Math.max(found.covXX[i * nodes + i]!, 0));
      });
      const covYY = twoPass(data.y, data.y, samples, nodes);
      found.varY.forEach((variance, j) => {
        expect(Math.abs(variance - covYY[j * nodes + j]!)).toBeLessThan(1e-12);
      });
    }),
    { numRuns: 40 },
  );
});

test('statistics over disjoint samples merge into those over all of them', () => {
  fc.assert(
    fc.property(setups, ({ nodes, batchSizes, seed, mean }) => {
      const samples = batchSizes.reduce((sum, size) => sum + size) + 50;
      const data = magnitudes(samples, nodes, seed, mean);
      const cut = 50 * nodes;
      const first = accumulate({ x: data.x.subarray(0, cut), y: data.y.subarray(0, cut) }, nodes, [50]);
      const rest = accumulate({ x: data.x.subarray(cut), y: data.y.subarray(cut) }, nodes, batchSizes);
      const all = accumulate(data, nodes, [50, ...batchSizes]);
      for (const merged of [mergeStatistics(first, rest), mergeStatistics(rest, first)]) {
        expect(merged.samples).toBe(samples);
        const pair = shiftPivot(merged.pairs[0]!, samples, all.pairs[0]!.pivotX, all.pairs[0]!.pivotY);
        for (const [key, sums] of Object.entries(pair) as [keyof typeof pair, Float64Array][]) {
          // Sums of up to 1250 products of order 1, or of order 20 for y.
          expect(largestDifference(sums, all.pairs[0]![key]!), key).toBeLessThan(1e-8);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('an accumulator that merges holds what one over all the samples holds, and empty ones change nothing', () => {
  const data = magnitudes(60, 5, 7);
  const all = accumulate(data, 5, [60]);
  const accumulator = new CpuAccumulator(5, 1);
  runToEnd(
    accumulator.merge(accumulate({ x: data.x.subarray(0, 100), y: data.y.subarray(0, 100) }, 5, [20])),
  );
  runToEnd(accumulator.merge(new CpuAccumulator(5, 1).statistics()));
  accumulator.add([data.x.subarray(100)], [data.y.subarray(100)], 40);
  const merged = accumulator.statistics();
  expect(merged.samples).toBe(60);
  const [found, expected] = [covariances(merged.pairs[0]!, 60), covariances(all.pairs[0]!, 60)];
  expect(largestDifference(found.covXY, expected.covXY)).toBeLessThan(1e-13);
  expect(largestDifference(found.covXX, expected.covXX)).toBeLessThan(1e-13);
  expect(mergeStatistics(all, new CpuAccumulator(5, 1).statistics())).toEqual(all);
  expect(mergeStatistics(new CpuAccumulator(5, 1).statistics(), all)).toEqual(all);
});

test('statistics of another shape are refused and nothing changes', () => {
  const held = accumulate(magnitudes(10, 3, 1), 3, [10]);
  const before = structuredClone(held);
  const other = accumulate(magnitudes(10, 4, 1), 4, [10]);
  expect(() => mergeStatistics(held, other)).toThrow(
    expect.objectContaining({ code: 'graph-mismatch' }) as Error,
  );
  expect(held).toEqual(before);
});
