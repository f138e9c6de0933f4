import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  createCpuEngine,
  type Engine,
  type MagnitudeRequest,
  magnitudeScores,
} from '../../../src/statistics.ts';
import { scoreMagnitudes, scoreRanks } from '../../../src/engine/score-magnitudes.ts';
import { largestError } from '../../support/largest-error.ts';
import { refusal } from '../../support/refusal.ts';
import { statisticsCase, type StatisticsCase } from '../../support/statistics-case.ts';

const caseOf = (name: string): StatisticsCase =>
  statisticsCase(readFileSync(new URL(`../../fixtures/family/${name}.npz`, import.meta.url)));

const asked = (of: StatisticsCase, request: Partial<MagnitudeRequest>): MagnitudeRequest => ({
  score: 'regression',
  layerAgg: 'mean',
  ridge: of.ridge,
  conditioningSets: of.sets,
  ...request,
});

/** An engine that holds the samples, in two batches. */
async function engineOf(of: StatisticsCase): Promise<Engine> {
  const engine = createCpuEngine({ nodes: of.nodes, pairs: of.pairs, reduction: 'l1' });
  const middle = Math.ceil(of.samples / 3);
  await engine.accumulateMagnitudes(of.batch(0, middle));
  await engine.accumulateMagnitudes(of.batch(middle, of.samples));
  return engine;
}

/** Matrices of all layer pairs behind each other. */
const joined = (matrices: readonly ArrayLike<number>[]): number[] => matrices.flatMap((m) => Array.from(m));

// float64 sums about a pivot of float32 magnitudes, and systems whose condition is at most (N + lambda) / lambda.
const EXACT = 1e-9;

test.each(['well-conditioned', 'constant-nodes', 'tied'])(
  'regression scores, errors and p of %s',
  async (name) => {
    const of = caseOf(name);
    const engine = await engineOf(of);
    for (const layerAgg of ['mean', 'max'] as const) {
      const scores = await scoreMagnitudes(engine, asked(of, { layerAgg }));
      const { aggregated, perPair } = await scores.matrices();
      expect(largestError(joined(perPair), of.oracle('regression'))).toBeLessThan(EXACT);
      expect(largestError(aggregated, of.oracle(`regression_${layerAgg}`))).toBeLessThan(EXACT);
      expect(largestError(scores.tests!.standardError, of.oracle(`error_${layerAgg}`))).toBeLessThan(EXACT);
      if (layerAgg === 'mean') {
        expect(largestError(scores.tests!.pValues, of.oracle('p_mean'))).toBeLessThan(EXACT);
      }
    }
  },
);

test.each(['well-conditioned', 'constant-nodes', 'tied'])(
  'pooled magnitudes of %s, from sums alone',
  async (name) => {
    const of = caseOf(name);
    const engine = await engineOf(of);
    for (const score of ['corr', 'partial', 'regression'] as const) {
      const scores = await scoreMagnitudes(engine, asked(of, { score, layerAgg: 'pooled' }));
      const { aggregated, perPair } = await scores.matrices();
      expect(perPair).toEqual([]);
      expect(scores.pairs).toBe(of.pairs);
      expect(largestError(aggregated, of.oracle(`pooled_${score}`))).toBeLessThan(EXACT);
      if (score === 'regression') {
        expect(largestError(scores.tests!.standardError, of.oracle('pooled_error'))).toBeLessThan(EXACT);
      }
    }
  },
);

test.each(['well-conditioned', 'constant-nodes', 'tied'])("Spearman's correlations of %s", async (name) => {
  const of = caseOf(name);
  const { size, x, y } = of.batch(0, of.samples);
  const shape = { nodes: of.nodes, pairs: of.pairs, reduction: 'l1' } as const;
  for (const [score, oracle] of [
    ['corr', 'spearman'],
    ['partial', 'spearman_partial'],
    ['regression', 'spearman_regression'],
  ] as const) {
    const request = asked(of, { score, correlation: 'spearman' });
    const { perPair } = await (await scoreRanks({ size, x, y }, shape, request)).matrices();
    expect(largestError(joined(perPair), of.oracle(oracle))).toBeLessThan(EXACT);
  }
});

test('nodes without a score say why', async () => {
  const of = caseOf('tied');
  const engine = await engineOf(of);
  const flags = async (layerAgg: MagnitudeRequest['layerAgg']): Promise<number[]> => [
    ...(await scoreMagnitudes(engine, asked(of, { layerAgg }))).nodeFlags,
  ];
  const [everyPair, all] = [await flags('mean'), await flags('pooled')];
  expect([3, 5, 7, 9].map((node) => everyPair[node])).toEqual([1, 2, 1, 2]);
  // Pooled: where it is constant in every layer pair.
  expect([3, 5, 7, 9].map((node) => all[node])).toEqual([0, 0, 1, 2]);
});

test('all magnitudes constant: no scores, p of 1', async () => {
  const engine = createCpuEngine({ nodes: 3, pairs: 1, reduction: 'l1' });
  const ones = new Float32Array(12).fill(1);
  await engine.accumulateMagnitudes({ size: 4, x: [ones], y: [ones.slice()] });
  const of = caseOf('tied');
  const scores = await scoreMagnitudes(engine, asked(of, {}));
  expect([...(await scores.aggregate())].every(Number.isNaN)).toBe(true);
  expect([...scores.tests!.pValues]).toEqual(new Array(9).fill(1));
});

test('what is out of range is refused', async () => {
  const of = caseOf('tied');
  const statistics = await (await engineOf(of)).statistics();
  for (const [wrong, option] of [
    [{ lambda: 0 }, 'lambda'],
    [{ lambda: Infinity }, 'lambda'],
    [{ correlation: 'kendall' as 'pearson' }, 'correlation'],
    [{ layerAgg: 'median' as 'mean' }, 'layerAgg'],
    [{ score: 'mutual' as 'corr' }, 'score'],
  ] as const) {
    const refused = await refusal(magnitudeScores(statistics, asked(of, wrong)));
    expect(refused.code).toBe('invalid-argument');
    expect(refused.details.option).toBe(option);
  }
});
