import { expect, test } from 'vitest';
import { createCpuEngine } from '../../../src/statistics.ts';
import { differencesFromOracle } from '../../support/differential.ts';
import { trials } from '../../support/trials.ts';

// float64 sums about a pivot: rounding of 1e-16 a term over at most 60 samples, with room for the order of additions.
const ROUNDING = 1e-13;

test('the CPU engine gives what the definition gives, for random problems of any unit', async () => {
  const { compared, unsure, wrong } = await differencesFromOracle(
    (shape) => createCpuEngine(shape, { workers: 0 }),
    { first: 1, count: trials(300) },
    ROUNDING,
  );
  expect(wrong.slice(0, 10)).toEqual([]);
  expect(unsure).toBeLessThan(compared / 2);
});
