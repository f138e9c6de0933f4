import { expect, test } from 'vitest';
import { jackknifeScores } from '../../../src/scores/jackknife.ts';
import type { ScoreRequest } from '../../../src/scores/score-matrices.ts';
import { scoreStatistics } from '../../../src/scores/score-statistics.ts';
import { CpuAccumulator } from '../../../src/statistics/cpu-accumulator.ts';
import { raggedFromLists } from '../../../src/statistics/ragged.ts';
import type { SufficientStatistics } from '../../../src/statistics/sufficient-statistics.ts';
import { magnitudes } from '../statistics/random-magnitudes.ts';

const nodes = 5;
const groupSizes = [20, 17, 23, 20];
const request: ScoreRequest = {
  score: 'partial',
  layerAgg: 'mean',
  ridge: 1e-8,
  conditioningSets: raggedFromLists([[], [0, 2], [1], [], [0]]),
};

/** Statistics over some of the groups of one long run of samples. */
function statisticsOf(groups: readonly number[]): SufficientStatistics {
  const accumulator = new CpuAccumulator(nodes, 2);
  const total = groupSizes.reduce((sum, size) => sum + size);
  const data = [magnitudes(total, nodes, 3), magnitudes(total, nodes, 4)];
  for (const group of groups) {
    const first = groupSizes.slice(0, group).reduce((sum, size) => sum + size, 0) * nodes;
    const end = first + groupSizes[group]! * nodes;
    accumulator.add(
      data.map(({ x }) => x.subarray(first, end)),
      data.map(({ y }) => y.subarray(first, end)),
      groupSizes[group]!,
    );
  }
  return accumulator.statistics();
}

test('is what leaving out each group by hand gives', async () => {
  const all = groupSizes.map((_, group) => group);
  const { standardError, signStability } = await jackknifeScores(
    all.map((group) => statisticsOf([group])),
    request,
  );
  const whole = (await scoreStatistics(statisticsOf(all), request)).aggregated;
  const replicates = await Promise.all(
    all.map(async (left) => {
      const { aggregated } = await scoreStatistics(
        statisticsOf(all.filter((group) => group !== left)),
        request,
      );
      return aggregated;
    }),
  );
  whole.forEach((score, e) => {
    const scores = replicates.map((replicate) => replicate[e]!);
    const mean = scores.reduce((sum, r) => sum + r, 0) / scores.length;
    const sum = scores.reduce((total, r) => total + (r - mean) ** 2, 0);
    const expected = Math.sqrt(((scores.length - 1) / scores.length) * sum);
    if (Number.isNaN(expected)) {
      expect([standardError[e], signStability[e]]).toEqual([NaN, NaN]);
      return;
    }
    // Subtracted sums are those of the remaining samples up to rounding.
    expect(standardError[e]).toBeCloseTo(expected, 11);
    const same = scores.filter((r) => Math.sign(r) === Math.sign(score)).length;
    expect(signStability[e]).toBe(same / scores.length);
  });
});

test('one group is none', async () => {
  await expect(jackknifeScores([statisticsOf([0])], request)).rejects.toThrow(
    expect.objectContaining({ code: 'invalid-argument' }) as Error,
  );
});
