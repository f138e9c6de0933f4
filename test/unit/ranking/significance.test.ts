import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { erfc } from '../../../src/scoring/erfc.ts';
import { benjaminiHochberg, fisherPValue, sortedOrder } from '../../../src/statistics.ts';
import { fisherZ, upperTail } from '../../../src/scoring/significance.ts';
import { upperTailPValues } from '../../../src/ranking/upper-tail-p-values.ts';

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

test('p-values of many correlations at once are those one by one, to the bit', () => {
  let state = 1;
  const uniform = (): number => (state = (Math.imul(state, 48271) >>> 1) % 0x7fffffff) / 0x7fffffff;
  // Of all sizes, both signs, at and beyond the bounds; an odd number of them, and more than are taken at a time.
  const edges = [0, -0, 1, -1, NaN, 0.9999, 0.99995, 0.17, 0.18, 1e-300];
  const scores = Float64Array.from({ length: 9001 }, (_, k) =>
    k % 3 === 0
      ? edges[k % 10]!
      : k % 3 === 1
        ? 2 * uniform() - 1
        : (uniform() - 0.5) * 10 ** (-20 * uniform()),
  );
  const roots = scores.map((_, k) => Math.sqrt(k % 7 === 0 ? 0 : 2 + 10 ** (k % 6)));
  const expected = (score: number, root: number): number =>
    Number.isNaN(score) || root === 0 ? 1 : upperTail(fisherZ(score, root));
  const p = new Float64Array(scores.length);
  upperTailPValues(scores, roots, p, 0, p.length);
  expect(p).toEqual(scores.map((score, k) => expected(score, roots[k]!)));
  for (const root of [0, 1.5, 45]) {
    upperTailPValues(scores, root, p, 1, 9000);
    expect(p.subarray(1, 9000)).toEqual(scores.map((score) => expected(score, root)).subarray(1, 9000));
  }
});

test('q-values agree with scipy, ties, zeros and ones included', () => {
  const p = Float64Array.from(goldens.bh.p);
  const q = benjaminiHochberg(p, sortedOrder(p, 'ascending'));
  goldens.bh.q.forEach((expected, row) => {
    expect(relativeError(q[row]!, expected)).toBeLessThan(1e-15);
  });
});
