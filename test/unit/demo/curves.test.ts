import { expect, test } from 'vitest';
import { curves } from '../../../demo/src/edges/curves.ts';
import type { EdgeColumns } from '../../../demo/src/edges/edge-columns.ts';

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

test('curves keep every step of positives among many pairs', () => {
  const nodes = 100;
  const random = (k: number): number => ((k * 7919) % 10_007) / 10_007;
  const scores = Array.from({ length: nodes }, (_, i) =>
    Array.from({ length: nodes }, (_, j) => random(i * nodes + j + 1)),
  );
  const table = tableOf(scores, []);
  const marks = Uint8Array.from({ length: table.rows }, (_, row) => (row % 97 === 0 ? 1 : 0));
  const { precisionRecall, roc, positives, averagePrecision } = curves(table, marks);
  const order = [...table.score.keys()].sort((a, b) => table.score[b]! - table.score[a]!);
  const first = order.findIndex((row) => marks[row] === 1);
  expect([...precisionRecall.slice(0, 2)]).toEqual([1 / positives, 1 / (first + 1)]);
  const recalls = new Set([...precisionRecall].filter((_, k) => k % 2 === 0));
  expect(recalls.size).toBe(positives);
  expect([...roc.slice(-2)]).toEqual([1, 1]);
  // The area under the steps is the average precision: no point is above or below what it stands for.
  let [area, before] = [0, 0];
  for (let k = 0; k < precisionRecall.length; k += 2) {
    area += (precisionRecall[k]! - before) * precisionRecall[k + 1]!;
    before = precisionRecall[k]!;
  }
  expect(area).toBeCloseTo(averagePrecision, 12);
});
