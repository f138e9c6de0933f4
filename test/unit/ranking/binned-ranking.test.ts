import fc from 'fast-check';
import { expect, test } from 'vitest';
import { degreesOfFreedomGroups } from '../../../src/scoring/degrees-of-freedom.ts';
import { HostScoreScanner, pairScoresIn } from '../../../src/ranking/host-score-scanner.ts';
import { BinnedRanking } from '../../../src/ranking/binned-ranking.ts';
import { rankPairs, type RankedPairs } from '../../../src/ranking/rank-pairs.ts';
import type { RowChoice } from '../../../src/ranking/row-choice.ts';
import { edgeSet } from '../../../src/table/edge-set.ts';

const yielder = (): undefined => undefined;

/** Ties, both zeros, scores that are clipped before atanh, NaN, and anything between. */
const score = fc.oneof(
  { weight: 3, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
  { weight: 2, arbitrary: fc.double({ min: -0.2, max: 0.4, noNaN: true }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(0, -0, 0.25, 0.25, 0.5, 0.9999, 0.99995, 1, -0.9999, -1, 0.1 + 2 ** -56),
  },
  { weight: 1, arbitrary: fc.constant(NaN) },
);

const table = fc.integer({ min: 2, max: 14 }).chain((nodes) =>
  fc.record({
    nodes: fc.constant(nodes),
    scores: fc.array(score, { minLength: nodes * nodes, maxLength: nodes * nodes }),
    single: fc.boolean(),
    samples: fc.constantFrom(5, 9, 40, 1000, 1_000_000),
    conditioned: fc.option(fc.array(fc.integer({ min: 0, max: 8 }), { minLength: nodes, maxLength: nodes })),
    edges: fc.array(fc.tuple(fc.nat(nodes - 1), fc.nat(nodes - 1)), { maxLength: 20 }),
    excludeSelf: fc.boolean(),
    candidatesOnly: fc.boolean(),
    top: fc.option(fc.nat(nodes * nodes + 3), { nil: Infinity }),
    /** Which q of the table is the limit, or any */
    limit: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(nodes * nodes)),
    tuning: fc.record({
      bins: fc.constantFrom(2, 7, 300),
      mostBins: fc.constantFrom(20, 1000),
      budget: fc.constantFrom(0, 3, 50, 1e6),
      rounds: fc.integer({ min: 1, max: 4 }),
      spareRows: fc.constantFrom(1, 10, 1000),
    }),
  }),
);

test('rows that are sorted in groups of bins are those of the table that is sorted whole, with its p and q', async () => {
  let chosen = 0;
  await fc.assert(
    fc.asyncProperty(table, fc.constantFrom(1, 5, 40, Infinity), async (drawn, rowsPerGroup) => {
      const { nodes, samples, excludeSelf, candidatesOnly, top, tuning } = drawn;
      const aggregated = drawn.single ? Float32Array.from(drawn.scores) : Float64Array.from(drawn.scores);
      const conditioned = drawn.conditioned ? Int32Array.from(drawn.conditioned) : undefined;
      const dfGroups = degreesOfFreedomGroups(nodes, samples, conditioned);
      const matrices = { nodes, aggregated, perPair: [aggregated.map((value) => value / 2)] };
      const all = await rankPairs(matrices, { excludeSelf, dfGroups, yielder });
      const maxQ = Number.isInteger(drawn.limit) ? (all.q[drawn.limit] ?? 1) : drawn.limit;
      const edges = new Set(drawn.edges.map(([i, j]) => i * nodes + j));
      const known = edgeSet([drawn.edges.map(([i]) => i), drawn.edges.map(([, j]) => j)], nodes);
      const choice: RowChoice = { excludeSelf, top, maxQ, candidatesOnly, edges: known };
      const expected = [...all.pairIndices.keys()]
        .filter((row) => all.q[row]! <= maxQ && !(candidatesOnly && edges.has(all.pairIndices[row]!)))
        .slice(0, top);

      const scanner = new HostScoreScanner(matrices, dfGroups.classOf, yielder, pairScoresIn(matrices));
      const ranking = new BinnedRanking(scanner, dfGroups, choice, tuning);
      expect(await ranking.mostRows()).toBeGreaterThanOrEqual(expected.length);
      const groups: RankedPairs[] = [];
      for await (const group of ranking.groups(rowsPerGroup)) groups.push(group);
      expect(groups.length).toBeGreaterThan(0);
      if (expected.length > 0 && expected.length < all.q.length) chosen++;
      // The very same operations: not a bit may differ.
      for (const name of ['pairIndices', 'scores', 'p', 'q'] as const) {
        const found = groups.flatMap((group): number[] => [...group[name]]);
        expect(found, name).toEqual(expected.map((row) => all[name][row]));
      }
      expect([...all.perPair[0]!]).toEqual([...all.pairIndices].map((at) => matrices.perPair[0]![at]));
    }),
    { numRuns: 1500 },
  );
  expect(chosen).toBeGreaterThan(500);
});
