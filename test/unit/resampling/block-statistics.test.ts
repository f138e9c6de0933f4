import { expect, test } from 'vitest';
import { BlockStatistics } from '../../../src/resampling/block-statistics.ts';
import { emptyPair } from '../../../src/statistics/merge.ts';
import { createYielder } from '../../../src/statistics/yielder.ts';
import type { SufficientStatistics } from '../../../src/statistics.ts';

/** Statistics that remember which samples they are of: their sum is that of the numbers of the samples. */
function numbered(first: number, size: number): SufficientStatistics {
  const pair = emptyPair(1);
  for (let k = first; k < first + size; k++) pair.sumX[0]! += k;
  return { nodes: 1, samples: size, pairs: [pair] };
}

/** Runs over samples 0 .. n - 1, which come at most `most` at a time. */
function runsOf(samples: number, groups: number, length: number, most: number): BlockStatistics {
  const runs = new BlockStatistics(groups, length);
  for (let first = 0; first < samples;) {
    const size = Math.min(runs.remainingCapacity, most, samples - first);
    runs.add(numbered(first, size));
    first += size;
  }
  return runs;
}

test.each([
  // 10 runs of 4, two of which are merged for each group
  [40, 4, [8, 8, 8, 8, 8]],
  // merged to 5 runs of 8 and one of 1
  [41, 4, [8, 8, 8, 8, 9]],
  // runs of 8, 9 of them: groups end near 14.4, 28.8, 43.2, 57.6
  [72, 4, [16, 16, 8, 16, 16]],
  // merged twice: 5 runs of 16, then one of 16 and one of 9
  [105, 4, [16, 32, 16, 16, 25]],
  // six runs, the last of them of 3: groups end near 4.6, 9.2, 13.8, 18.4
  [23, 4, [4, 4, 4, 8, 3]],
])('%d samples in 5 groups, first runs of %d', async (samples, length, sizes) => {
  for (const most of [100, 3]) {
    const runs = runsOf(samples, 5, length, most);
    expect(runs.samples).toBe(samples);
    const groups = await runs.grouped(createYielder());
    expect(groups.map((group) => group.samples)).toEqual(sizes);
    // Consecutive samples, each in one group.
    let first = 0;
    for (const group of groups) {
      expect(group.pairs[0]!.sumX[0]).toBe(numbered(first, group.samples).pairs[0]!.sumX[0]);
      first += group.samples;
    }
  }
});

test('however many samples come, groups are between half and twice their share', async () => {
  for (let samples = 40; samples <= 2000; samples += 7) {
    const groups = await runsOf(samples, 10, 2, 50).grouped(createYielder());
    const sizes = groups.map((group) => group.samples);
    expect(sizes).toHaveLength(10);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(samples);
    expect(Math.max(...sizes) / (samples / 10)).toBeLessThanOrEqual(2);
    expect(Math.min(...sizes) / (samples / 10)).toBeGreaterThanOrEqual(0.5);
  }
});

test('a copy goes on by itself', () => {
  const runs = runsOf(30, 5, 4, 100);
  const copy = runs.copy();
  copy.add(numbered(30, 2));
  copy.add(numbered(32, 4));
  expect([runs.samples, copy.samples]).toEqual([30, 36]);
});
