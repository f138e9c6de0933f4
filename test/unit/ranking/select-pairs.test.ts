import fc from 'fast-check';
import { expect, test } from 'vitest';
import { degreesOfFreedomGroups } from '../../../src/scoring/degrees-of-freedom.ts';
import { HostScoreScanner, pairScoresIn } from '../../../src/ranking/host-score-scanner.ts';
import { rankPairs } from '../../../src/ranking/ranked-pairs.ts';
import { selectPairs, type RowChoice } from '../../../src/ranking/select-pairs.ts';
import { streamPairs } from '../../../src/ranking/stream-pairs.ts';

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
      largestShare: fc.constant(2),
    }),
  }),
);

test('rows chosen without sorting are those of the sorted table, with its p and q', async () => {
  let chosen = 0;
  await fc.assert(
    fc.asyncProperty(table, async (drawn) => {
      const { nodes, samples, excludeSelf, candidatesOnly, top, tuning } = drawn;
      const aggregated = drawn.single ? Float32Array.from(drawn.scores) : Float64Array.from(drawn.scores);
      const conditioned = drawn.conditioned ? Int32Array.from(drawn.conditioned) : undefined;
      const all = await rankPairs(aggregated, nodes, { excludeSelf, samples, conditioned, yielder });
      const maxQ = Number.isInteger(drawn.limit) ? (all.q[drawn.limit] ?? 1) : drawn.limit;
      const edges = [drawn.edges.map(([i]) => i), drawn.edges.map(([, j]) => j)] as const;
      const choice: RowChoice = { excludeSelf, top, maxQ, candidatesOnly, edges };

      const isEdge = new Set(drawn.edges.map(([i, j]) => i * nodes + j));
      const expected = [...all.elements.keys()]
        .filter((row) => all.q[row]! <= maxQ && !(candidatesOnly && isEdge.has(all.elements[row]!)))
        .slice(0, top);
      const matrices = { nodes, aggregated, perPair: [aggregated.map((value) => value / 2)] };
      const freedom = degreesOfFreedomGroups(nodes, samples, conditioned);
      const found = await selectPairs(
        new HostScoreScanner(matrices, freedom.classOf, yielder, pairScoresIn(matrices)),
        freedom,
        choice,
        tuning,
      );
      if (found === undefined) {
        // Only where rows without a score would be among them.
        expect(maxQ).toBe(1);
        expect(expected.length < top || expected.some((row) => Number.isNaN(all.corr[row]))).toBe(true);
        return;
      }
      chosen++;
      expect([...found.elements]).toEqual(expected.map((row) => all.elements[row]));
      expect([...found.corr]).toEqual(expected.map((row) => all.corr[row]));
      expect([...found.p]).toEqual(expected.map((row) => all.p[row]));
      // The very same operations: not a bit may differ.
      expect([...found.q]).toEqual(expected.map((row) => all.q[row]));
      expect([...found.perPair[0]!]).toEqual([...found.elements].map((e) => matrices.perPair[0]![e]));
    }),
    { numRuns: 1500 },
  );
  expect(chosen).toBeGreaterThan(500);
});

test('rows that come group by group are those of the sorted table', async () => {
  await fc.assert(
    fc.asyncProperty(table, fc.constantFrom(1, 5, 40, 1000), async (drawn, rowsPerGroup) => {
      const { nodes, samples, excludeSelf } = drawn;
      const aggregated = drawn.single ? Float32Array.from(drawn.scores) : Float64Array.from(drawn.scores);
      const conditioned = drawn.conditioned ? Int32Array.from(drawn.conditioned) : undefined;
      const all = await rankPairs(aggregated, nodes, { excludeSelf, samples, conditioned, yielder });
      const matrices = { nodes, aggregated, perPair: [] };
      const freedom = degreesOfFreedomGroups(nodes, samples, conditioned);
      const passes = new HostScoreScanner(matrices, freedom.classOf, yielder, pairScoresIn(matrices));
      const rows = { elements: [], corr: [], p: [], q: [] } as Record<string, number[]>;
      for await (const group of streamPairs(passes, freedom, excludeSelf, rowsPerGroup)) {
        const { elements, corr, p, q } = group;
        for (const [name, values] of Object.entries({ elements, corr, p, q })) rows[name]!.push(...values);
      }
      const { elements, corr, p, q } = all;
      for (const [name, values] of Object.entries({ elements, corr, p, q }))
        expect(rows[name], name).toEqual([...values]);
    }),
    { numRuns: 300 },
  );
});
