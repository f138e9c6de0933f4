import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortedOrder } from '../../../src/scores/order.ts';

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

test.each(['ascending', 'descending'] as const)(
  '%s: like a stable comparison sort, NaN last',
  (direction) => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 300 }), (list) => {
        const sign = direction === 'ascending' ? 1 : -1;
        const expected = list
          .map((value, row) => ({ value, row }))
          .sort((a, b) => {
            if (Number.isNaN(a.value) || Number.isNaN(b.value)) {
              return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value));
            }
            return a.value === b.value ? 0 : a.value < b.value ? -sign : sign;
          })
          .map(({ row }) => row);
        expect([...sortedOrder(Float64Array.from(list), direction)]).toEqual(expected);
      }),
    );
  },
);

test('float32 values', () => {
  const values = Float32Array.of(0.25, NaN, -1, 0.75, 0.25);
  expect([...sortedOrder(values, 'descending')]).toEqual([3, 0, 4, 2, 1]);
});
