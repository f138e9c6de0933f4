import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Batch, batches, type BatchesOptions, type GsnnGraph } from '../../../src/index.ts';
import { batchSizes } from '../../../src/model/batch-sizes.ts';

const graph: GsnnGraph = {
  nodeNames: { input: ['in_0', 'in_1', 'in_2'], function: ['f'], output: ['out_0', 'out_1'] },
  edgeIndex: { 'input,function': [[], []], 'function,function': [[], []], 'function,output': [[], []] },
};
const modelOf = (channels: number, canRegroup = true) => ({
  graph,
  canRegroup,
  channelGroups: new Array<number>(channels).fill(0),
});

async function collect(loader: AsyncIterable<Batch>): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of loader) all.push(batch);
  return all;
}

describe('sizes', () => {
  test.each<[number, BatchesOptions, batchSize: number, lossBatchSize: number]>([
    [120, {}, 128, 128],
    [120, { batchSize: 32 }, 32, 32],
    [120, { lossBatchSize: 32 }, 32, 32],
    [120, { batchSize: 'auto' }, 512, 128],
    [1_500, { batchSize: 'auto' }, 256, 128],
    [3_000, { batchSize: 'auto' }, 128, 128],
    [20_000, { batchSize: 'auto' }, 64, 128],
    [20_000, { batchSize: 'auto', lossBatchSize: 16 }, 64, 16],
    [3_000, { batchSize: 'auto', lossBatchSize: 16 }, 128, 16],
    [120, { batchSize: 'auto', lossBatchSize: 100 }, 500, 100],
    [20_000, { batchSize: 'auto', lossBatchSize: 100 }, 50, 100],
    [3_000, { batchSize: 'auto', lossBatchSize: 100 }, 100, 100],
    [20_000, { batchSize: 'auto', lossBatchSize: 500 }, 63, 500],
    // A number is never exceeded, except by rounding it down to nothing.
    [120, { batchSize: 100, lossBatchSize: 16 }, 96, 16],
    [120, { batchSize: 100, lossBatchSize: 101 }, 51, 101],
    [120, { batchSize: 1, lossBatchSize: 3 }, 1, 3],
  ])('%i channels, %o', (channels, options, batchSize, lossBatchSize) => {
    expect(batchSizes(options, modelOf(channels))).toEqual({ batchSize, lossBatchSize });
    const loader = batches({ x: [], y: [] }, modelOf(channels), options);
    expect([loader.batchSize, loader.lossBatchSize]).toEqual([batchSize, lossBatchSize]);
  });

  test('a model that cannot be regrouped has the batches of the loss, or none', () => {
    const fixed = modelOf(120, false);
    expect(batchSizes({ batchSize: 'auto' }, fixed)).toEqual({ batchSize: 128, lossBatchSize: 128 });
    expect(batchSizes({ batchSize: 'auto', lossBatchSize: 7 }, fixed).batchSize).toBe(7);
    expect(batchSizes({ batchSize: 7, lossBatchSize: 7 }, fixed).batchSize).toBe(7);
    expect(() => batches({ x: [], y: [] }, fixed, { batchSize: 64, lossBatchSize: 32 })).toThrow(
      'batchSize is 64 and lossBatchSize 32, but they must be equal for a custom loss, for the mean of a joint export and for a model with a fixed number of samples.',
    );
    // A graph alone says nothing of its model.
    expect(batches({ x: [], y: [] }, { graph }, { batchSize: 'auto' }).batchSize).toBe(128);
  });

  test.each<[object, string]>([
    [{ batchSize: 'big' }, "batchSize is big, a whole number of at least 1 or 'auto' was expected."],
    [{ batchSize: 0 }, "batchSize is 0, a whole number of at least 1 or 'auto' was expected."],
    [{ lossBatchSize: 1.5 }, 'lossBatchSize is 1.5, a whole number of at least 1 was expected.'],
    [{ lossBatchSize: 'auto' }, 'lossBatchSize is auto, a whole number of at least 1 was expected.'],
  ])('%o is refused', (options, message) => {
    expect(() => batches({ x: [], y: [] }, modelOf(120), options)).toThrow(message);
  });
});

/** What the loss counts for a sample, by definition: of the batch of the loss that it is in. */
function countsOf(y: readonly number[][], lossBatchSize: number) {
  return y.map((_, sample) => {
    const first = sample - (sample % lossBatchSize);
    const rows = y.slice(first, first + lossBatchSize);
    return [
      rows.length,
      rows.flat().filter((value) => !Number.isNaN(value)).length,
      rows.filter((row) => !row.some(Number.isNaN)).length,
    ];
  });
}

test('every sample keeps its batch of the loss, wherever batches and blocks end', async () => {
  const size = fc.integer({ min: 1, max: 40 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
      size,
      size,
      fc.boolean(),
      async (blocks, batchSize, lossBatchSize, missing) => {
        const rows = blocks.reduce((sum, block) => sum + block, 0);
        const x = Array.from({ length: rows }, (_, s) => [s, s + 0.5, -s]);
        const y = Array.from({ length: rows }, (_, s) => [s, missing && s % 3 === 0 ? NaN : 2 * s]);
        let first = 0;
        const sources = blocks.map((block) => {
          first += block;
          return { x: x.slice(first - block, first), y: y.slice(first - block, first) };
        });
        const model = { ...modelOf(120), maskMissingTargets: missing };
        const loader = batches(sources, model, { batchSize, lossBatchSize });
        const all = await collect(loader);
        expect(all.length).toBe(loader.length);
        expect(all.flatMap((batch) => Array.from(batch.x as Float32Array))).toEqual(
          x.flat().map(Math.fround),
        );
        expect(all.flatMap((batch) => Array.from(batch.y as Float32Array))).toEqual(y.flat());
        const largest = Math.max(...all.map((batch) => batch.size));
        expect(largest).toBeLessThanOrEqual(Math.max(batchSize, 1));
        expect(loader.batchSize).toBeLessThanOrEqual(batchSize);
        if (loader.batchSize === lossBatchSize) {
          expect(all.every(({ lossBatches }) => lossBatches === undefined)).toBe(true);
        } else {
          const found = all.flatMap(({ lossBatches }) =>
            lossBatches!.flatMap(({ samples, size: whole, knownTargets, completeSamples }) =>
              Array.from({ length: samples }, () => [whole, knownTargets, completeSamples]),
            ),
          );
          expect(found).toEqual(countsOf(y, lossBatchSize));
        }
        for (const from of [1, Math.trunc(all.length / 2), all.length - 1, all.length])
          expect(await collect(loader.from(from))).toEqual(all.slice(from));
      },
    ),
    { numRuns: 150, seed: 1 },
  );
});

test('text, whose length is not known beforehand', async () => {
  const csv = await readFile(new URL('../../fixtures/data/table.csv', import.meta.url));
  const loader = batches(csv, modelOf(120), { batchSize: 4, lossBatchSize: 2 });
  expect(loader.length).toBeUndefined();
  const all = await collect(loader);
  expect(all.map(({ size, lossBatches }) => [size, lossBatches!.map((each) => each.size)])).toEqual([
    [4, [2, 2]],
    [1, [1]],
  ]);
  expect(loader.length).toBe(2);
  expect(await collect(loader.from(1))).toEqual(all.slice(1));
});
