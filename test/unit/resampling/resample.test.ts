import { expect, test } from 'vitest';
import {
  createCpuEngine,
  raggedFromLists,
  type ResampledScores,
  type ResamplePlan,
  resampleScores,
  SampleStore,
  type ScoreRequest,
} from '../../../src/statistics.ts';
import { groupStarts } from '../../../src/resampling/resample.ts';
import { randomBits, shuffledWithin } from '../../../src/statistics/shuffle.ts';
import { normalNumbers } from '../../support/random-numbers.ts';
import { refusal } from '../../support/refusal.ts';
import { scoresByDefinition, type PairRows } from '../../support/score-definition.ts';

const sets = raggedFromLists([[], [0, 2], [1], [], [0]]);
const request: ScoreRequest = { score: 'partial', layerAgg: 'mean', ridge: 1e-8, conditioningSets: sets };

/** Two layer pairs whose y follows x a little; node 3 of y is constant in both. */
function someRows(samples: number, nodes = 5): PairRows[] {
  const normal = normalNumbers(samples);
  return [1, 2].map(() => {
    const x = Array.from({ length: samples }, () =>
      Array.from({ length: nodes }, () => Math.fround(4 + normal())),
    );
    const y = x.map((row) =>
      row.map((value, node) => (node === 3 ? 2 : Math.fround(9 + 0.4 * value + normal()))),
    );
    return { x, y };
  });
}

/** A record of the rows, in batches of uneven size. */
function recordOf(pairs: readonly PairRows[]): SampleStore {
  const samples = pairs[0]!.x.length;
  const record = new SampleStore({ nodes: pairs[0]!.x[0]!.length, pairs: pairs.length }, 1e6);
  for (let first = 0, size = 7; first < samples; first += size, size += 4) {
    const end = Math.min(first + size, samples);
    const flat = (rows: PairRows['x']): Float32Array => Float32Array.from(rows.slice(first, end).flat());
    record.reserve(end - first);
    record.add({
      size: end - first,
      x: pairs.map(({ x }) => flat(x)),
      y: pairs.map(({ y }) => flat(y)),
    });
  }
  return record;
}

async function resampled(
  pairs: readonly PairRows[],
  plan: ResamplePlan,
  asked: ScoreRequest = request,
): Promise<ResampledScores> {
  const engine = createCpuEngine({ nodes: pairs[0]!.x[0]!.length, pairs: pairs.length, reduction: 'l1' });
  const observed = Float64Array.from(scoresByDefinition(pairs, asked));
  return resampleScores(recordOf(pairs), observed, asked, { plan, engine });
}

const rowsAt = (rows: PairRows['x'], at: ArrayLike<number>): PairRows['x'] =>
  Array.from(at, (row) => rows[row]!);

test.each([
  ['groups of one size', 48, 'partial', 'mean'],
  ['groups of several sizes', 50, 'partial', 'max'],
  ['plain correlations', 50, 'corr', 'mean'],
] as const)('standard errors and sign stability by definition: %s', async (_, samples, score, layerAgg) => {
  const groups = 4;
  const pairs = someRows(samples);
  const asked = { ...request, score, layerAgg };
  const { standardError, signStability } = await resampled(
    pairs,
    { groups, permutations: 0, seed: 0 },
    asked,
  );
  const whole = scoresByDefinition(pairs, asked);
  const starts = groupStarts(samples, groups);
  const sizes = starts.slice(1).map((end, group) => end - starts[group]!);
  expect(sizes).toEqual(samples === 48 ? [12, 12, 12, 12] : [12, 13, 12, 13]);
  const without = sizes.map((_size, group) => {
    const kept = pairs.map(({ x, y }) => {
      const stays = (__: unknown, row: number): boolean => row < starts[group]! || row >= starts[group + 1]!;
      return { x: x.filter(stays), y: y.filter(stays) };
    });
    return scoresByDefinition(kept, asked);
  });
  let scored = 0;
  whole.forEach((r, e) => {
    const replicates = without.map((scores) => scores[e]!);
    if (replicates.some(Number.isNaN)) {
      expect([standardError[e], signStability[e]]).toEqual([NaN, NaN]);
      return;
    }
    scored++;
    // Busing, Meijer and van der Leeden (1999), by their pseudo-values.
    const h = sizes.map((size) => samples / size);
    const estimate = replicates.reduce((sum, rk, k) => sum - (1 - 1 / h[k]!) * rk, groups * r);
    const variance = replicates.reduce((sum, rk, k) => {
      const pseudo = h[k]! * r - (h[k]! - 1) * rk;
      return sum + (pseudo - estimate) ** 2 / (h[k]! - 1) / groups;
    }, 0);
    // Both sides are float64 throughout; ridge 1e-8 enters them alike.
    expect(standardError[e]).toBeCloseTo(Math.sqrt(variance), 11);
    if (samples === 48) {
      // Efron and Tibshirani (1993), for groups of one size.
      const mean = replicates.reduce((sum, rk) => sum + rk, 0) / groups;
      const squares = replicates.reduce((sum, rk) => sum + (rk - mean) ** 2, 0);
      expect(standardError[e]).toBeCloseTo(Math.sqrt(((groups - 1) / groups) * squares), 11);
    }
    const same = replicates.filter((rk) => Math.sign(rk) === Math.sign(r)).length;
    expect(signStability[e]).toBe(same / groups);
  });
  expect(scored).toBe(score === 'corr' ? 20 : 13);
});

test.each(['corr', 'partial'] as const)('the empirical p by definition: %s', async (score) => {
  const [samples, groups, permutations, seed] = [41, 3, 19, 5];
  const pairs = someRows(samples);
  const asked = { ...request, score };
  const { empiricalP } = await resampled(pairs, { groups, permutations, seed }, asked);
  const observed = scoresByDefinition(pairs, asked);
  const starts = [0, 13, 27, 41];
  expect(groupStarts(samples, groups)).toEqual(starts);
  const reached = observed.map(() => 0);
  for (let shuffle = 0; shuffle < permutations; shuffle++) {
    const order = shuffledWithin(starts, randomBits(seed, shuffle));
    // The same shuffle for both layer pairs; x, and with it the conditioning sets, stays.
    const shuffled = pairs.map(({ x, y }) => ({ x, y: rowsAt(y, order) }));
    scoresByDefinition(shuffled, asked).forEach((r, e) => {
      if (r >= observed[e]!) reached[e]!++;
    });
  }
  // Counts, not approximations: no score of this data comes within 1e-6 of the observed one.
  expect([...empiricalP!]).toEqual(
    observed.map((r, e) => (Number.isNaN(r) ? 1 : (reached[e]! + 1) / (permutations + 1))),
  );
});

test('a NaN score has no error and no stable sign, and p is 1', async () => {
  const { standardError, signStability, empiricalP } = await resampled(
    someRows(40),
    { groups: 4, permutations: 3, seed: 0 },
    { ...request, score: 'corr' },
  );
  for (let source = 0; source < 5; source++) {
    const e = source * 5 + 3;
    expect([standardError[e], signStability[e], empiricalP![e]]).toEqual([NaN, NaN, 1]);
  }
});

test('the unit of the magnitudes does not matter', async () => {
  const pairs = someRows(60);
  const plan = { groups: 5, permutations: 9, seed: 2 };
  const asked = { ...request, score: 'corr' } as const;
  const scaled = pairs.map(({ x, y }) => ({
    x: x.map((row) => row.map((value) => value * 2 ** 20)),
    y: y.map((row) => row.map((value) => value * 2 ** -12)),
  }));
  // Powers of two change no digit of any sum.
  expect(await resampled(scaled, plan, asked)).toEqual(await resampled(pairs, plan, asked));
});

test('the same seed gives the same p, another one does not', async () => {
  const pairs = someRows(60);
  const p = async (seed: number): Promise<Float64Array | undefined> =>
    (await resampled(pairs, { groups: 5, permutations: 9, seed }, request)).empiricalP;
  expect(await p(1)).toEqual(await p(1));
  expect(await p(1)).not.toEqual(await p(2));
});

test('without an association, the empirical p is uniform and the errors are as large as the scores are', async () => {
  const normal = normalNumbers(3);
  const [samples, nodes] = [120, 16];
  const rows = (): number[][] =>
    Array.from({ length: samples }, () => Array.from({ length: nodes }, () => Math.fround(5 + normal())));
  const pairs = [{ x: rows(), y: rows() }];
  const asked = { ...request, score: 'corr', conditioningSets: raggedFromLists([]) } as const;
  const { standardError, empiricalP } = await resampled(
    pairs,
    { groups: 10, permutations: 99, seed: 8 },
    asked,
  );
  // 256 scores, nearly independent: 64 +- 7 in each quarter. One draw for ever, the seeds being fixed.
  const quarters = [0, 0, 0, 0];
  for (const p of empiricalP!) quarters[Math.ceil(p * 4) - 1]!++;
  expect(quarters).toEqual([66, 62, 64, 64]);
  // r of 120 independent samples has a standard deviation of 1 / sqrt(119).
  const rms = Math.sqrt(standardError.reduce((sum, se) => sum + se * se, 0) / standardError.length);
  expect(rms * Math.sqrt(119)).toBeCloseTo(1, 1);
});

test('a tie counts: shuffling equal values reaches the score it came from', async () => {
  const normal = normalNumbers(4);
  const x = Array.from({ length: 12 }, () => [Math.fround(3 + normal())]);
  // Within each of the groups y is constant, so that every shuffle is the arrangement itself.
  const y = x.map((_, row) => [1 + Math.floor(row / 4) * 0.1]);
  const asked = { ...request, score: 'corr', conditioningSets: raggedFromLists([[]]) } as const;
  const { empiricalP } = await resampled([{ x, y }], { groups: 3, permutations: 20, seed: 1 }, asked);
  expect([...empiricalP!]).toEqual([1]);
});

test.each([
  [5, { groups: 10, permutations: 0 }, /10 groups of samples needs at least 1 in each, but 5 samples/],
  [19, { groups: 10, permutations: 1 }, /at least 2 in each, but 19 samples/],
  [4, { groups: 2, permutations: 0 }, /at least 3 when any one of them is left out, but 4 samples/],
])('%d samples are too few for %o', async (samples, plan, sentence) => {
  const error = await refusal(resampled(someRows(samples), { ...plan, seed: 0 }));
  expect(error.code).toBe('too-few-samples');
  expect(error.message).toMatch(sentence);
});
