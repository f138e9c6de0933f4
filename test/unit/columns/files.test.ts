import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { BytesInMemory } from '../../../src/bytes/byte-source.ts';
import { openArrow } from '../../../src/columns/arrow.ts';
import { rowsOf } from '../../../src/columns/column-parts.ts';
import type { Column, ColumnFile } from '../../../src/columns/column.ts';
import { MemoryBudget } from '../../../src/columns/memory-budget.ts';
import { openParquet } from '../../../src/columns/parquet.ts';

const folder = new URL('../../fixtures/columns/', import.meta.url);
const files = (await readdir(folder)).filter((file) => /\.(arrows?|parquet)$/.test(file));
const tables = files.filter((file) => !/^(long|replaced|continued|date)/.test(file));
/** What pyarrow says is in every file, by column; 64-bit integers and decimals as the nearest float64. */
const expected = JSON.parse(await readFile(new URL('expected.json', folder), 'utf8')) as Record<
  string,
  (number | string | boolean | null)[]
>;

async function open(file: string, budget = new MemoryBudget()): Promise<ColumnFile> {
  const bytes = await readFile(new URL(file, folder));
  return file.endsWith('.parquet')
    ? openParquet(new BytesInMemory(bytes), file, budget)
    : openArrow(bytes, file, budget);
}

/** A column as expected.json has it. */
function plain(column: Column): unknown[] {
  return Array.from({ length: rowsOf(column) }, (_, row) => {
    switch (column.kind) {
      case 'strings':
        return column.codes[row]! < 0 ? null : column.dictionary[column.codes[row]!];
      case 'numbers': {
        const value = column.values[row]!;
        if (column.valid?.[row] === 0) return null;
        return Number.isNaN(value) ? 'NaN' : value;
      }
      case 'booleans':
        return column.valid?.[row] === 0 ? null : column.values[row] === 1;
      default:
        return undefined;
    }
  });
}

test('there are files of every compression', () => {
  expect(tables.length).toBeGreaterThanOrEqual(12);
});

describe.each(tables)('%s', (file) => {
  test('every column that can be read, by its logical type', async () => {
    const opened = await open(file);
    const readable = opened.fields.flatMap(({ kind }, position) =>
      kind === 'other' || kind === 'lists' ? [] : position,
    );
    const names = readable.map((position) => opened.fields[position]!.name);
    // Bytes without a logical type are strings of some writers of Parquet.
    const known = Object.keys(expected).filter((name) => !file.endsWith('parquet') || names.includes(name));
    expect(names.filter((name) => name !== 'bytes').toSorted()).toEqual(known.toSorted());
    expect(names.length).toBeGreaterThanOrEqual(27);
    const columns = await opened.read(readable);
    columns.forEach((column, index) => {
      const name = names[index]!;
      if (name !== 'bytes') expect(plain(column), name).toEqual(expected[name]);
    });
    expect(opened.metadata.get('where')).toBe('here');
  });

  test('columns one by one, in another order, and dates by name', async () => {
    const opened = await open(file);
    const position = (name: string): number => opened.fields.findIndex((field) => field.name === name);
    const columns = await opened.read([position('text'), position('f16'), position('decimal_18_6')]);
    expect(columns.map(plain)).toEqual(['text', 'f16', 'decimal_18_6'].map((name) => expected[name]));
    const holds = (name: string): string => opened.fields[position(name)]!.holds;
    expect(['date', 'time', 'timestamp', 'list'].map(holds)).toEqual([
      'dates',
      'times',
      'timestamps',
      'lists',
    ]);
  });
});

test.each([
  ['replaced.arrows', ['b', 'a', 'b', 'b', 'b', 'c']],
  ['continued.arrows', ['b', 'a', 'b', 'a', 'c', 'b']],
])('%s: a dictionary that changes between batches', async (file, words) => {
  const [column] = await (await open(file)).read([0]);
  expect(plain(column!)).toEqual(words);
});

test('an LZ4 frame whose blocks refer to each other', async () => {
  const [column] = await (await open('long-lz4.arrow')).read([0]);
  expect(plain(column!)).toEqual(Array.from({ length: 30000 }, (_, row) => row % 977));
});

test('what columns take is asked of the budget, and what a page or buffer unpacks to', async () => {
  for (const file of ['lz4.arrow', 'zstd.parquet']) {
    const tight = await open(file, new MemoryBudget(8 * 11 * 2 + 10));
    await expect(tight.read([0, 1, 2])).rejects.toThrow(/11 rows of 3 columns would take 264 bytes/);
    await expect(tight.read([0, 2])).rejects.toThrow(
      expect.objectContaining({ code: 'out-of-memory' }) as Error,
    );
  }
});
