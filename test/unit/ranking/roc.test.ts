import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rocAuc } from '../../../src/index.ts';

/** The definition: the share of (positive, negative) pairs in the right order, ties counted half. */
function byPairs(rows: readonly { score: number; positive: boolean }[]): number {
  const scored = rows.filter(({ score }) => !Number.isNaN(score));
  const positives = scored.filter(({ positive }) => positive);
  const negatives = scored.filter(({ positive }) => !positive);
  let wins = 0;
  for (const p of positives) {
    for (const n of negatives) wins += p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0;
  }
  return wins / (positives.length * negatives.length);
}

test('equals the share of pairs in the right order', () => {
  const row = fc.record({
    score: fc.constantFrom(-1, -0.5, 0, 0.25, 0.5, 1, NaN),
    positive: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
      const expected = byPairs(rows);
      fc.pre(!Number.isNaN(expected));
      const found = rocAuc(
        Float64Array.from(rows, ({ score }) => score),
        rows.map(({ positive }) => positive),
      );
      // Sums of halves, exact but for the last division.
      expect(found).toBeCloseTo(expected, 14);
    }),
  );
});

test('needs both kinds of rows', () => {
  expect(() => rocAuc(Float64Array.of(0.5, NaN), [false, true])).toThrow(
    expect.objectContaining({ code: 'no-positives' }) as Error,
  );
  expect(() => rocAuc(Float64Array.of(0.5), [true])).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }) as Error,
  );
});
