import { Table, vectorFromArray } from 'apache-arrow';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { evaluateRecovery, type NamedPair } from '../../../src/index.ts';
import { tinyTable } from './tiny.ts';

/** What numpy and scikit-learn make of a small table; see export/make_recovery_fixture.py. */
const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/recovery/figures.json', import.meta.url), 'utf8'),
) as {
  scores: (number | null)[][];
  edges: [number, number][];
  positives: [number, number][];
  pairs: number;
  scoredPositives: number;
  figures: Record<string, number>;
};

const name = (node: number): string => `node ${node}`;
const positives = fixture.positives.map(([i, j]): NamedPair => [name(i), name(j)]);

function tableOf({ scores, edges }: Pick<typeof fixture, 'scores' | 'edges'>): Table {
  const rows = scores.flatMap((row, i) => row.map((score, j) => ({ i, j, score })));
  return new Table({
    src_func: vectorFromArray(rows.map(({ i }) => name(i))),
    dst_func: vectorFromArray(rows.map(({ j }) => name(j))),
    score: vectorFromArray(rows.map(({ score }) => score ?? NaN)),
    has_edge: vectorFromArray(rows.map(({ i, j }) => edges.some((edge) => edge[0] === i && edge[1] === j))),
  });
}

const refused = (code: string): Error => expect.objectContaining({ code }) as Error;

test('figures of a table with ties, known edges and pairs without a score', () => {
  const recovery = evaluateRecovery(tableOf(fixture), positives, { hits: [1, 3] });
  expect(recovery).toMatchObject({
    positives: fixture.scoredPositives,
    missing: positives.length - fixture.scoredPositives,
    pairs: fixture.pairs,
  });
  expect(Object.keys(recovery.figures).sort()).toEqual(Object.keys(fixture.figures).sort());
  for (const [figure, value] of Object.entries(fixture.figures)) {
    // That of early precision is a mean over 200,000 random orders of what ties: 3 standard errors, 0.05 / sqrt(2e5) each.
    expect(recovery.figures[figure]).toBeCloseTo(value, figure === 'early_precision' ? 3 : 12);
  }
});

test('intervals are those of a mean, and of a seed', () => {
  const { figures, intervals } = evaluateRecovery(tableOf(fixture), positives);
  expect(Object.keys(intervals)).toEqual(Object.keys(figures));
  for (const [figure, [lower, upper]] of Object.entries(intervals)) {
    expect(lower).toBeLessThanOrEqual(figures[figure]!);
    expect(upper).toBeGreaterThanOrEqual(figures[figure]!);
  }
  // A share's interval, by the normal approximation: within a step of 1 / positives at either end.
  const rate = figures['hits@20_by_target']!;
  const half = 1.96 * Math.sqrt((rate * (1 - rate)) / fixture.scoredPositives);
  const [lower, upper] = intervals['hits@20_by_target']!;
  expect(Math.abs(lower - (rate - half))).toBeLessThan(1.5 / fixture.scoredPositives);
  expect(Math.abs(upper - Math.min(1, rate + half))).toBeLessThan(1.5 / fixture.scoredPositives);
  expect(evaluateRecovery(tableOf(fixture), positives).intervals).toEqual(intervals);
  expect(evaluateRecovery(tableOf(fixture), positives, { seed: 1 }).intervals).not.toEqual(intervals);
  expect(evaluateRecovery(tableOf(fixture), positives, { resamples: 0 }).intervals).toEqual({});
});

test('a bootstrap sample is a table in which positives count as often as they were drawn', () => {
  // All positives first: whichever are drawn, every figure of precision and area is 1.
  const best = {
    ...fixture,
    scores: fixture.scores.map((row, i) =>
      row.map((score, j) => (fixture.positives.some(([a, b]) => a === i && b === j) ? 9 : score)),
    ),
  };
  const { figures, intervals } = evaluateRecovery(tableOf(best), positives);
  for (const figure of ['auc', 'average_precision', 'early_precision']) {
    expect(figures[figure]).toBe(1);
    expect(intervals[figure]).toEqual([1, 1]);
  }
});

test('what has no figures is refused', async () => {
  const table = tableOf(fixture);
  expect(() => evaluateRecovery(table, [['node 0', 'node 4']])).toThrow(refused('no-positives'));
  expect(() => evaluateRecovery(table, [])).toThrow(refused('no-positives'));
  expect(() => evaluateRecovery(table, positives, { scoreCol: 'none' })).toThrow(refused('invalid-argument'));
  expect(() => evaluateRecovery(table, positives, { hits: [0] })).toThrow(refused('invalid-argument'));
  expect(() => evaluateRecovery(table, positives, { resamples: -1 })).toThrow(refused('invalid-argument'));
  expect(() => evaluateRecovery(table, positives, { level: 1 })).toThrow(refused('invalid-argument'));
  // The metadata of a table tell how many scored candidates there are.
  const tiny = await tinyTable();
  const cut = new Table(tiny.slice(0, 2).batches.map((batch) => batch));
  expect(() => evaluateRecovery(tiny, [['a', 'b, "quoted"']])).not.toThrow();
  expect(() => evaluateRecovery(cut, [['a', 'b, "quoted"']])).toThrow(/2 of the/);
});
