import { expect, test } from 'vitest';
import {
  jackknifeScores,
  mergeStatistics,
  raggedFromLists,
  type ScoreRequest,
  scoreStatistics,
  type SufficientStatistics,
} from '../../../src/statistics.ts';
import { CpuAccumulator } from '../../../src/statistics/cpu-accumulator.ts';
import { magnitudes } from '../statistics/random-magnitudes.ts';

const nodes = 5;
const groupSizes = [20, 17, 23, 20];
const samples = 80;
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
    // Busing, Meijer and van der Leeden (1999), by their pseudo-values.
    const ratios = groupSizes.map((size) => samples / size);
    const estimate = scores.reduce((sum, r, k) => sum - (1 - 1 / ratios[k]!) * r, scores.length * score);
    const variances = scores.map((r, k) => {
      const pseudo = ratios[k]! * score - (ratios[k]! - 1) * r;
      return (pseudo - estimate) ** 2 / (ratios[k]! - 1);
    });
    const expected = Math.sqrt(variances.reduce((sum, part) => sum + part, 0) / scores.length);
    if (Number.isNaN(expected)) {
      expect([standardError[e], signStability[e]]).toEqual([NaN, NaN]);
      return;
    }
    // Merged sums are those of the remaining samples up to rounding.
    expect(standardError[e]).toBeCloseTo(expected, 11);
    const same = scores.filter((r) => Math.sign(r) === Math.sign(score)).length;
    expect(signStability[e]).toBe(same / scores.length);
  });
});

test('a group that outweighs all others by far leaves no trace where it is left out', async () => {
  const data = magnitudes(60, nodes, 3);
  const groups = [0, 1, 2].map((group) => {
    const accumulator = new CpuAccumulator(nodes, 1);
    const part = (values: Float32Array): Float32Array =>
      values.slice(group * 20 * nodes, (group + 1) * 20 * nodes).map((v) => (group === 0 ? v * 1e9 : v));
    accumulator.add([part(data.x)], [part(data.y)], 20);
    return accumulator.statistics();
  });
  const asked = { ...request, score: 'corr' } as const;
  const { standardError } = await jackknifeScores(groups, asked);
  const score = async (of: readonly number[]): Promise<Float64Array | Float32Array> => {
    const parts = of.map((group) => groups[group]!);
    return (await scoreStatistics(parts.slice(1).reduce(mergeStatistics, parts[0]!), asked)).aggregated;
  };
  const without = await Promise.all([score([1, 2]), score([0, 2]), score([0, 1])]);
  standardError.forEach((error, e) => {
    const mean = without.reduce((sum, scores) => sum + scores[e]! / 3, 0);
    const squares = without.reduce((sum, scores) => sum + (scores[e]! - mean) ** 2, 0);
    // The two small groups keep all their digits; subtracted from sums 1e18 times as large they would keep none.
    expect(error).toBeCloseTo(Math.sqrt((2 / 3) * squares), 9);
  });
});

test('one group is none', async () => {
  await expect(jackknifeScores([statisticsOf([0])], request)).rejects.toThrow(
    expect.objectContaining({ code: 'invalid-argument' }) as Error,
  );
});
