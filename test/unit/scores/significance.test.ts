import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { erfc } from '../../../src/scores/erfc.ts';
import { sortedOrder } from '../../../src/scores/order.ts';
import { benjaminiHochberg, fisherPValue } from '../../../src/scores/significance.ts';

interface Goldens {
  erfc: [x: number, value: number][];
  fisher: { r: number; n: number; cond: number; p: number }[];
  bh: { p: number[]; q: number[] };
}

const goldens = JSON.parse(
  readFileSync(new URL('../../fixtures/significance/goldens.json', import.meta.url), 'utf8'),
) as Goldens;

function relativeError(found: number, expected: number): number {
  return expected === 0 ? Math.abs(found) : Math.abs(found / expected - 1);
}

test('erfc keeps its digits far into the tail', () => {
  for (const [x, value] of goldens.erfc) {
    // A dozen units in the last place: the series, two exponentials, and the rounding of their arguments.
    expect(relativeError(erfc(x), value), `erfc(${x})`).toBeLessThan(3e-15);
  }
  expect([erfc(Infinity), erfc(-Infinity), erfc(30), erfc(NaN)]).toEqual([0, 2, 0, NaN]);
});

test('p-values agree with 60-digit arithmetic', () => {
  for (const { r, n, cond, p } of goldens.fisher) {
    // The rounding of z grows to 2 z^2 units in the tail: z = 30 here at most, down to p = 1e-200.
    expect(relativeError(fisherPValue(r, n, cond), p), `r = ${r}, n = ${n}`).toBeLessThan(1e-12);
  }
  expect(fisherPValue(NaN, 100, 0)).toBe(1);
});

test('q-values agree with scipy, ties, zeros and ones included', () => {
  const p = Float64Array.from(goldens.bh.p);
  const q = benjaminiHochberg(p, sortedOrder(p, 'ascending'));
  goldens.bh.q.forEach((expected, row) => {
    expect(relativeError(q[row]!, expected)).toBeLessThan(1e-15);
  });
});
