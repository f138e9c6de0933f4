import { expect, test } from 'vitest';
import { randomBits, shuffledWithin } from '../../../src/statistics/shuffle.ts';

// Computed by the same definitions in Python, with its unbounded integers.
test.each([
  [0, 0, [2929627842, 4068326646, 163512607, 3429694769]],
  [0, 1, [2031268570, 778016397, 1897758672, 1790434691]],
  [4294967295, 7, [3777642006, 2947565208, 4237325418, 2244943957]],
])('bits of seed %d, stream %d', (seed, stream, expected) => {
  const bits = randomBits(seed, stream);
  expect(expected.map(() => bits())).toEqual(expected);
});

test('a shuffle stays within its runs, empty ones and ones of one among them', () => {
  expect([...shuffledWithin([0, 4, 4, 5, 12], randomBits(9, 3))]).toEqual([
    1, 0, 3, 2, 4, 8, 5, 6, 7, 10, 11, 9,
  ]);
});

test('every arrangement is as likely as every other', () => {
  const seen = new Map<string, number>();
  for (let stream = 0; stream < 6000; stream++) {
    const key = shuffledWithin([0, 3], randomBits(1, stream)).join();
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  // 1,000 of each are expected, with a standard deviation of 29; the seed is fixed, so this is one draw for ever.
  const chiSquare = [...seen.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(seen.size).toBe(6);
  // The 99th percentile of chi-square with 5 degrees of freedom.
  expect(chiSquare).toBeLessThan(15.09);
});
