import { expect, test } from 'vitest';
import { curves, markPairs } from '../../../demo/src/edges/curves.ts';
import type { EdgeColumns } from '../../../demo/src/edges/edge-columns.ts';
import { recovery } from '../../../demo/src/edges/recovery.ts';

/** Scores `[source][target]` of a few nodes; null for pairs without one. */
function tableOf(scores: readonly (readonly (number | null)[])[], known: readonly string[]): EdgeColumns {
  const pairs = scores.flatMap((row, i) =>
    row.flatMap((value, j) => (i === j ? [] : [[i, j, value] as const])),
  );
  const blank = new Float64Array(pairs.length).fill(Number.NaN);
  return {
    names: scores.map((_, node) => String(node)),
    rows: pairs.length,
    src: Int32Array.from(pairs, ([i]) => i),
    dst: Int32Array.from(pairs, ([, j]) => j),
    score: Float64Array.from(pairs, ([, , value]) => value ?? Number.NaN),
    scoreColumn: 'score',
    isSigned: false,
    isTested: false,
    pValue: blank,
    qValue: blank,
    hasEdge: Uint8Array.from(pairs, ([i, j]) => (known.includes(`${i}${j}`) ? 1 : 0)),
    conditioned: null,
    pairs: [],
    uncertainty: {},
    metadata: {},
  };
}

test('known edges do not compete, equal scores share their average rank, what has no score is missed', () => {
  const table = tableOf(
    [
      [0, 9, 5, 4],
      [2, 0, 8, null],
      [1, 3, 0, 4],
      [7, 3, 6, 0],
    ],
    ['01', '32'],
  );
  // To 1: 0 (known) 9, 2 and 3 equal at 3. To 2: 1 at 8, 3 (known) 6, 0 at 5. To 3: 0 and 2 equal, 1 without a score.
  const positives = [
    ['2', '1'],
    ['0', '2'],
    ['1', '3'],
    ['3', '0'],
  ] as const;
  const { marks } = markPairs(table, positives);
  const found = recovery(table, marks, positives.length);
  // By target: 1.5 of two equal, 2 behind 1 -> 2, none, 1 of 7, 2, 1.
  expect(found.mrrByTarget).toBeCloseTo((1 / 1.5 + 1 / 2 + 0 + 1) / 4, 12);
  // By source: 2 -> 1 is behind 2 -> 3 and before 2 -> 0; 0 -> 2 before 0 -> 3, without the known 0 -> 1; 3 -> 0 first.
  expect(found.mrrBySource).toBeCloseTo((1 / 2 + 1 + 0 + 1) / 4, 12);
  expect(found.hits).toEqual([1 / 4, 3 / 4, 3 / 4]);
  // The first three of 8, 7, 5, 4, 4, 3, 3, 2, 1 for three positives with a score: 3 -> 0 and 0 -> 2.
  expect(found.earlyPrecision).toBeCloseTo(2 / 3, 12);
});

test('a border of equal scores counts in proportion', () => {
  const table = tableOf(
    [
      [0, 1, 1],
      [1, 0, 1],
      [0, 0, 0],
    ],
    [],
  );
  const { marks } = markPairs(table, [
    ['0', '1'],
    ['2', '0'],
  ]);
  // Two of four equal pairs, of which one is positive.
  expect(recovery(table, marks, 2).earlyPrecision).toBeCloseTo(0.25, 12);
});

test('curves keep every step of positives among many pairs', () => {
  const nodes = 100;
  const random = (k: number): number => ((k * 7919) % 10_007) / 10_007;
  const scores = Array.from({ length: nodes }, (_, i) =>
    Array.from({ length: nodes }, (_, j) => random(i * nodes + j + 1)),
  );
  const table = tableOf(scores, []);
  const marks = Uint8Array.from({ length: table.rows }, (_, row) => (row % 97 === 0 ? 1 : 0));
  const { precisionRecall, roc, positives } = curves(table, marks);
  const order = [...table.score.keys()].sort((a, b) => table.score[b]! - table.score[a]!);
  const first = order.findIndex((row) => marks[row] === 1);
  expect([...precisionRecall.slice(0, 2)]).toEqual([1 / positives, 1 / (first + 1)]);
  const recalls = new Set([...precisionRecall].filter((_, k) => k % 2 === 0));
  expect(recalls.size).toBe(positives);
  expect([...roc.slice(-2)]).toEqual([1, 1]);
});
