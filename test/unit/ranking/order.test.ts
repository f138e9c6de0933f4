import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortedOrder } from '../../../src/statistics.ts';
import { BUCKETS, sortRows } from '../../../src/ranking/order.ts';
import { gather } from '../../../src/ranking/gather.ts';
import { partition, placesFor, reorder, sortBuckets } from '../../../src/ranking/partitioned-rows.ts';
import { runToEnd } from '../../../src/statistics/yielder.ts';

/** Many ties, neighbours in the last bit, both zeros, NaN and infinities. */
const numbers = fc.oneof(
  fc.double(),
  fc.constantFrom(
    0,
    -0,
    NaN,
    0.5,
    0.5 + 2 ** -53,
    0.5 + 2 ** -52,
    -0.5,
    -0.5 - 2 ** -53,
    1,
    Infinity,
    -Infinity,
  ),
);

/** Row numbers sorted by a stable comparison sort, NaN last. */
function byComparison(list: readonly number[], direction: 'ascending' | 'descending'): number[] {
  const sign = direction === 'ascending' ? 1 : -1;
  return list
    .map((value, row) => ({ value, row }))
    .sort((a, b) => {
      if (Number.isNaN(a.value) || Number.isNaN(b.value)) {
        return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value));
      }
      return a.value === b.value ? 0 : a.value < b.value ? -sign : sign;
    })
    .map(({ row }) => row);
}

test.each(['ascending', 'descending'] as const)(
  '%s: like a stable comparison sort, NaN last',
  (direction) => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 300 }), (list) => {
        expect([...sortedOrder(Float64Array.from(list), direction)]).toEqual(byComparison(list, direction));
      }),
    );
  },
);

test('values that differ by less than their range has an inverse for, the first like the last', () => {
  const values = Float64Array.of(0, 0, 5e-324, 5.7e-306, 0, 1, 0);
  expect([...sortedOrder(values, 'descending')]).toEqual([5, 3, 2, 0, 1, 4, 6]);
  expect([...sortedOrder(values, 'ascending')]).toEqual([0, 1, 4, 6, 2, 3, 5]);
});

test('float32 values', () => {
  const values = Float32Array.of(0.25, NaN, -1, 0.75, 0.25);
  expect([...sortedOrder(values, 'descending')]).toEqual([3, 0, 4, 2, 1]);
});

/** Spread evenly, crowded at zero, over many orders of magnitude, and of few distinct values; some of each NaN. */
const spreads: readonly [string, (uniform: number) => number][] = [
  ['even', (u) => 2 * u - 1],
  ['crowded', (u) => (u < 0.9 ? 1e-9 * u : u)],
  ['of all sizes', (u) => Math.exp(-600 * u)],
  ['of few values', (u) => Math.round(20 * u - 10) / 10],
  ['both zeros', (u) => (u < 0.5 ? 0 : -0)],
];

test.each(spreads)(
  'many rows, %s: as by comparison, some rows left out, the values and others with them',
  (_, spread) => {
    let state = 1;
    const list = Array.from({ length: 10_000 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % 97 === 0 ? NaN : spread(state / 2 ** 32);
    });
    const all = Float64Array.from(list);
    for (const values of [all, new Float32Array(all)]) {
      for (const direction of ['ascending', 'descending'] as const) {
        const expected = Uint32Array.from(byComparison([...values], direction)).filter(
          (row) => row % 51 !== 0,
        );
        const sorted = sortRows(values, direction, 51);
        expect(sorted.rows).toEqual(expected);
        expect(sorted.values).toEqual(gather(values, expected));
        const others = [values.map((_, row) => row), values.map((value) => -value)];
        const { places, ...partitioned } = runToEnd(partition(values, direction, 51));
        const { inOrder, rows } = placesFor({ places, ...partitioned });
        runToEnd(sortBuckets({ places, ...partitioned }, 0, BUCKETS, { inOrder, rows }));
        expect([rows, partitioned.values]).toEqual([sorted.rows, sorted.values]);
        const reordered = runToEnd(reorder(others, { places, inOrder }));
        expect(reordered).toEqual(others.map((other) => gather(other, expected)));
      }
    }
  },
);
