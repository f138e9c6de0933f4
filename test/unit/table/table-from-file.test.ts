import { expect, test } from 'vitest';
import type { Column, ColumnFile } from '../../../src/columns/column.ts';
import { tableFromFile } from '../../../src/table/table-from-file.ts';

/** A file of two rows: strings where a name begins with s, else numbers. */
function fileOf(...names: string[]): ColumnFile {
  const fields = names.map((name) => {
    const kind = name.startsWith('s') ? ('strings' as const) : ('numbers' as const);
    return { name: name.slice(1), kind, holds: kind };
  });
  const column = (position: number): Column =>
    fields[position]!.kind === 'strings'
      ? { kind: 'strings', codes: Int32Array.of(0, 1), dictionary: ['a', 'b'] }
      : { kind: 'numbers', values: Float64Array.of(position, position) };
  return {
    rows: 2,
    groups: [2],
    fields,
    metadata: new Map(),
    read: (positions) => Promise.resolve(positions.map(column)),
  };
}

test('of columns of one name the first is read, whatever the others hold', async () => {
  const table = await tableFromFile(fileOf('ssrc_func', 's', 'n', 'nother', 'sother'), 'f.parquet');
  expect(table.schema.fields.map(({ name }) => name)).toEqual(['src_func', '', 'other']);
  expect(Array.from(table.getChild('')!)).toEqual(['a', 'b']);
  expect(Array.from(table.getChild('other')!)).toEqual([3, 3]);
});

test('an edge table has its columns once', async () => {
  await expect(tableFromFile(fileOf('ncorr', 'ncorr'), 'f.parquet')).rejects.toThrow(
    "f.parquet has more than one column 'corr'.",
  );
});
