import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../src/data/batches.ts';
import { concatenateBatches } from '../../../src/data/concatenate.ts';

async function* asynchronously<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

/** Samples `first .. first + size`: x is [s, -s], y is [10 s]. */
function batch(first: number, size: number): Batch {
  const samples = Array.from({ length: size }, (_, i) => first + i);
  return { x: samples.map((s) => [s, -s]), y: Float32Array.from(samples, (s) => 10 * s), size };
}

test('sources of any sizes give the batches that all samples at once would', async () => {
  const sources = fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(sources, fc.integer({ min: 1, max: 6 }), async (sizes, batchSize) => {
      let total = 0;
      const given = sizes.map((source) =>
        source.map((size) => {
          total += size;
          return batch(total - size, size);
        }),
      );
      const found: Batch[] = [];
      const widths = { inputs: 2, outputs: 1 };
      for await (const one of concatenateBatches(
        asynchronously(given.map(asynchronously)),
        batchSize,
        widths,
      ))
        found.push(one);
      expect(found.map(({ size }) => size)).toEqual(
        Array.from({ length: Math.ceil(total / batchSize) }, (_, i) =>
          Math.min(batchSize, total - i * batchSize),
        ),
      );
      const samples = Array.from({ length: total }, (_, s) => s);
      expect(found.flatMap(({ x }) => flatten(x))).toEqual(samples.flatMap((s) => [s, -s + 0]));
      expect(found.flatMap(({ y }) => flatten(y))).toEqual(samples.map((s) => 10 * s));
    }),
  );
});

const flatten = (values: Batch['x']): number[] =>
  (ArrayBuffer.isView(values) ? Array.from(values) : values.flatMap((row) => Array.from(row))).map(
    (v) => v + 0,
  );
