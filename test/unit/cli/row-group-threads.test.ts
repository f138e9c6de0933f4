import { expect, test } from 'vitest';
import type { WrittenColumn } from '../../../src/columns/parquet-pages.ts';
import { encodeRowGroup, type RowGroup, type WrittenField } from '../../../src/columns/parquet-writer.ts';
import { rowGroupEncoder } from '../../../src/cli/row-group-threads.ts';
import type { ScoreSettings } from '../../../src/cli/score-options.ts';

const wanted = { format: 'parquet', partitioned: false } as ScoreSettings;

const fields: readonly WrittenField[] = [
  { name: 'name', type: 'string', nullable: false },
  { name: 'score', type: 'double', nullable: true },
  { name: 'known', type: 'boolean', nullable: false },
];

/** Rows whose arrays are parts of larger ones, as those of a table's batches are. */
function group(seed: number, rows = 5000): RowGroup {
  const names = new TextEncoder().encode('abbccc');
  const columns: readonly WrittenColumn[] = [
    {
      kind: 'strings',
      codes: Int32Array.from({ length: rows + 2 }, (_, k) => (k * seed) % 3).subarray(1, rows + 1),
      bytes: names,
      offsets: Int32Array.of(0, 1, 3, 6),
    },
    {
      kind: 'numbers',
      values: Float64Array.from({ length: 2 * rows }, (_, k) => Math.sin(k * seed)).subarray(rows),
      valid: Uint8Array.from({ length: rows }, (_, k) => (k % 7 === 0 ? 0 : 1)),
    },
    { kind: 'booleans', values: Uint8Array.from({ length: rows }, (_, k) => k % 2) },
  ];
  return { columns, rows };
}

test('threads give what this one would, however many row groups are under way, and leave the rows alone', async () => {
  const encoder = rowGroupEncoder(wanted, 1000);
  const groups = Array.from({ length: 12 }, (_, k) => group(k + 1));
  const encoded = await Promise.all(groups.map((own) => encoder.encode(fields, own)));
  groups.forEach((own, k) => {
    expect(encoded[k]).toEqual(encodeRowGroup(fields, group(k + 1)));
    expect(own).toEqual(group(k + 1));
  });
});

test.each([
  ['few rows', wanted, 100],
  ['the first rows alone', { ...wanted, top: 1000 }, 1000],
  ['another format', { ...wanted, format: 'csv' as const }, 1000],
  ['a folder of files', { ...wanted, partitioned: true }, 1000],
])('for %s no thread is started', (_, settings, nodes) => {
  expect(rowGroupEncoder(settings, nodes).maxInFlight).toBe(0);
});
