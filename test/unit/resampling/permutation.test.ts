import { expect, test } from 'vitest';
import { CORRELATION_UNIT, largestScore, PermutationTally } from '../../../src/resampling/permutation.ts';

/** p of scores after shuffles of them. */
function pOf(observed: number[], shuffles: number[][], unit?: number): number[] {
  const scores = Float64Array.from(observed);
  const tally = new PermutationTally(scores, unit ?? largestScore(scores));
  for (const shuffled of shuffles) tally.add(Float64Array.from(shuffled));
  return [...tally.pValues()];
}

test('p of regression scores does not depend on their unit', () => {
  const observed = [0.4, 0.02, -0.3, NaN];
  const shuffles = [
    [0.1, 0.03, -0.2, NaN],
    [0.5, 0.01, -0.4, NaN],
    [0.4 - 1e-8, 0.019, -0.5, NaN],
  ];
  const expected = [3 / 4, 2 / 4, 2 / 4, 1];
  expect(pOf(observed, shuffles)).toEqual(expected);
  for (const unit of [1e-9, 1e-6, 1e7]) {
    const inUnit = (scores: number[]): number[] => scores.map((score) => score * unit);
    expect(pOf(inUnit(observed), shuffles.map(inUnit))).toEqual(expected);
  }
});

test('correlations within the rounding of 1 are ties, however small they all are', () => {
  expect(pOf([3e-7], [[0], [1e-7]], CORRELATION_UNIT)).toEqual([1]);
  expect(pOf([3e-5], [[0], [1e-7]], CORRELATION_UNIT)).toEqual([1 / 3]);
});

test('the largest score leaves out what is no number; none at all has unit 0', () => {
  expect(largestScore(Float64Array.of(NaN, -3, 2, Infinity))).toBe(3);
  expect(largestScore(Float64Array.of(NaN))).toBe(0);
});
