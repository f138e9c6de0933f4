import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coverageWarning, type ScoreCoverage, unscoredInWords } from '../../../src/index.ts';
import {
  conditioningSets,
  createCpuEngine,
  scoreCoverage,
  type ScoreRequest,
} from '../../../src/statistics.ts';
import { createYielder } from '../../../src/statistics/yielder.ts';
import { unscoredCase } from '../../support/unscored-case.ts';

async function coverageOf(
  request: ScoreRequest,
  excludeSelf: boolean,
  memory = Infinity,
): Promise<ScoreCoverage> {
  const { batch, nodes, edges } = unscoredCase();
  const engine = createCpuEngine({ nodes, pairs: 2, reduction: 'l1' }, { workers: 0, memory });
  await engine.accumulateMagnitudes(batch);
  const scores = await engine.scores(request);
  const partial = request.score === 'partial';
  const coverage = await scoreCoverage(scores, {
    conditioningSets: partial ? request.conditioningSets : undefined,
    edges,
    excludeSelf,
    yielder: createYielder(),
  });
  scores.release();
  await engine.release();
  return coverage;
}

const { request, expected } = unscoredCase();

test.each(expected)('$score, self left out: $excludeSelf', async ({ score, excludeSelf, coverage }) => {
  expect(await coverageOf({ ...request, score }, excludeSelf)).toEqual(coverage);
  // The same where scores are formed panel by panel.
  expect(await coverageOf({ ...request, score }, excludeSelf, 1e5)).toEqual(coverage);
});

test('counts are those of the scores, whatever is drawn', async () => {
  const nodes = 5;
  const node = fc.nat({ max: nodes - 1 });
  const drawn = fc.record({
    edges: fc.array(fc.tuple(node, node), { maxLength: 9 }),
    constantX: fc.subarray([0, 1, 2, 3, 4]),
    constantY: fc.subarray([0, 1, 2, 3, 4]),
    duplicates: fc.array(fc.tuple(node, node), { maxLength: 2 }),
    score: fc.constantFrom('corr', 'partial'),
    excludeSelf: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1e6 }),
  });
  await fc.assert(
    fc.asyncProperty(drawn, async ({ edges, constantX, constantY, duplicates, score, excludeSelf, seed }) => {
      let state = seed;
      const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
      const side = (constant: readonly number[]): Float32Array =>
        Float32Array.from({ length: 12 * nodes }, (_, at) => (constant.includes(at % nodes) ? 2 : random()));
      const [x, y] = [side(constantX), side(constantY)];
      for (const [to, from] of duplicates) {
        for (let row = 0; row < x.length; row += nodes) x[row + to] = x[row + from]!;
      }
      const engine = createCpuEngine({ nodes, pairs: 1, reduction: 'l1' }, { workers: 0 });
      await engine.accumulateMagnitudes({ size: 12, x: [x], y: [y] });
      const graph = [edges.map(([source]) => source), edges.map(([, target]) => target)] as const;
      const sets = conditioningSets(graph, nodes);
      const scores = await engine.scores({ score, layerAgg: 'mean', ridge: 0, conditioningSets: sets });
      const { pairs, unscored, candidates } = await scoreCoverage(scores, {
        conditioningSets: score === 'partial' ? sets : undefined,
        edges: graph,
        excludeSelf,
        yielder: createYielder(),
      });
      const known = new Set(edges.map(([source, target]) => source * nodes + target));
      const isSelf = (element: number): boolean => element % (nodes + 1) === 0;
      const all = Array.from({ length: nodes ** 2 }, (_, element) => element);
      const aggregated = await scores.aggregate();
      const rows = all.filter((element) => !(excludeSelf && isSelf(element)));
      const others = all.filter((element) => !known.has(element) && !isSelf(element));
      const missing = (elements: readonly number[]): number =>
        elements.filter((element) => Number.isNaN(aggregated[element])).length;
      expect(pairs).toBe(rows.length);
      expect(unscored.pairs).toBe(missing(rows));
      expect(candidates).toEqual({ pairs: others.length, unscored: missing(others) });
      const { pairs: total, ...reasons } = unscored;
      expect(Object.values(reasons).every((count) => count >= 0)).toBe(true);
      expect(Object.values(reasons).reduce((sum, count) => sum + count)).toBe(total);
      if (score === 'corr')
        expect([unscored.knownParent, unscored.explained, unscored.singular]).toEqual([0, 0, 0]);
      await engine.release();
    }),
    { numRuns: 300 },
  );
});

test('a warning from a tenth of the candidates on, and another one where nothing is scored', () => {
  const none = { constantSource: 0, explained: 0, knownParent: 0, singular: 0 };
  const coverage = (pairs: number, unscored: number): ScoreCoverage => ({
    pairs: pairs + 2000,
    unscored: { ...none, knownParent: 2000, pairs: unscored + 2000, constantTarget: unscored },
    candidates: { pairs, unscored },
  });
  expect(coverageWarning(coverage(10_000, 1000))).toBeUndefined();
  expect(coverageWarning(coverage(10_000, 1001))).toBe(
    '10 % of the candidates (1,001 of 10,000 pairs that are not known edges) have no score; in all, pairs without one are ' +
      '3,001 of 12,000 pairs (2,000 known parent, 1,001 constant target).',
  );
  expect(coverageWarning(coverage(10_000, 10_000))).toBe(
    'None of the 12,000 pairs has a score (2,000 known parent, 10,000 constant target).',
  );
  expect(unscoredInWords(coverage(5, 0))).toBe('2,000 of 2,005 pairs (2,000 known parent)');
});
