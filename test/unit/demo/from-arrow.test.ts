import { tableFromArrays, type Table } from 'apache-arrow';
import { expect, test } from 'vitest';
import { columnsFromArrow } from '../../../demo/src/edges/from-arrow.ts';

/** Two rows: a -> c and b -> a, of which somebody has left out most others. */
function table(indices: Record<string, Int32Array | Float64Array>): Table {
  return tableFromArrays({
    src_func: ['a', 'b'],
    dst_func: ['c', 'a'],
    corr: Float64Array.of(0.5, 0.25),
    ...indices,
  });
}

test('a table whose rows skip nodes opens with the nodes it names', () => {
  const { names, src, dst } = columnsFromArrow(
    table({ src_idx: Int32Array.of(1, 4), dst_idx: Int32Array.of(6, 1) }),
    'top.parquet',
  );
  expect([...src]).toEqual([1, 4]);
  expect([...dst]).toEqual([6, 1]);
  expect(names).toEqual(['node 0', 'a', 'node 2', 'node 3', 'b', 'node 5', 'c']);
});

test('a side without indices is numbered after the names of the other', () => {
  const { names, dst } = columnsFromArrow(table({ src_idx: Int32Array.of(1, 4) }), 'top.parquet');
  expect([...dst]).toEqual([5, 1]);
  expect(names[5]).toBe('c');
});

test.each([
  ['the node index -1', Float64Array.of(0, -1)],
  ['the node index 1.5', Float64Array.of(0, 1.5)],
  ['the node index NaN', Float64Array.of(0, Number.NaN)],
  ['the node index 4000000000', Float64Array.of(0, 4e9)],
])('%s is refused', (what, src_idx) => {
  expect(() => columnsFromArrow(table({ src_idx }), 'top.parquet')).toThrow(
    `top.parquet: row 1 has ${what}.`,
  );
});
