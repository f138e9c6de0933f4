import { expect, test } from 'vitest';
import { type MagnitudeBatch, SampleStore } from '../../../src/statistics.ts';

// 8 MiB blocks hold 10 rows of these: a few samples fill several blocks.
const shape = { nodes: 100_000, pairs: 1 };

/** Rows whose every value tells which row it is: x is the number, y the number and a half. */
function numbered(first: number, size: number): MagnitudeBatch {
  const rows = (offset: number): Float32Array =>
    Float32Array.from({ length: size * shape.nodes }, (_, k) => first + offset + Math.floor(k / shape.nodes));
  return { size, x: [rows(0)], y: [rows(0.5)] };
}

function add(record: SampleStore, first: number, size: number): void {
  record.reserve(size);
  record.add(numbered(first, size));
}

/** The first value of each row of x and of y. */
function read(record: SampleStore, x: readonly number[], y: readonly number[]): number[][] {
  const read: number[][] = [[], []];
  for (const batch of record.batches({ x: Uint32Array.from(x), y: Uint32Array.from(y) })) {
    for (let row = 0; row < batch.size; row++) {
      read[0]!.push(batch.x[0]![row * shape.nodes]!);
      read[1]!.push(batch.y[0]![(row + 1) * shape.nodes - 1]!);
    }
  }
  return read;
}

test('rows come back in any order, from any block', () => {
  const record = new SampleStore(shape, 1e9);
  add(record, 0, 7);
  add(record, 7, 18);
  expect(record.samples).toBe(25);
  expect(read(record, [0, 24, 9, 10], [10, 3, 24, 0])).toEqual([
    [0, 24, 9, 10],
    [10.5, 3.5, 24.5, 0.5],
  ]);
});

test('a view stays as it is while samples are taken back, added and forgotten', () => {
  const record = new SampleStore(shape, 1e9);
  add(record, 0, 6);
  const view = record.view();
  add(record, 6, 3);
  record.truncate(6);
  add(record, 100, 2);
  expect(read(record, [5, 6, 7], [5, 6, 7])).toEqual([
    [5, 100, 101],
    [5.5, 100.5, 101.5],
  ]);
  record.clear();
  add(record, 50, 2);
  expect([view.samples, record.samples]).toEqual([6, 2]);
  expect(read(view, [0, 5], [5, 0])).toEqual([
    [0, 5],
    [5.5, 0.5],
  ]);
});

test('beyond its limit nothing is taken in', () => {
  const record = new SampleStore(shape, 10 * 8e5);
  add(record, 0, 8);
  expect(() => {
    record.reserve(3);
  }).toThrow(
    expect.objectContaining({
      code: 'out-of-memory',
      message:
        'The magnitudes of 11 samples, which uncertainty needs, take 8800000 bytes (800000 per sample), but ' +
        'uncertainty.maxBytes is 8000000.',
    }) as Error,
  );
  add(record, 8, 2);
  expect(record.samples).toBe(10);
});
