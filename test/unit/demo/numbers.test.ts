import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { curves } from '../../../demo/src/edges/curves.ts';
import type { EdgeColumns } from '../../../demo/src/edges/edge-columns.ts';
import { histogram, nullShare } from '../../../demo/src/edges/histogram.ts';
import { averageLinkageOrder } from '../../../demo/src/edges/linkage.ts';
import { PairIndex } from '../../../demo/src/edges/pair-index.ts';
import { noFilter, RowQuery } from '../../../demo/src/edges/row-query.ts';
import { sortPermutation } from '../../../demo/src/edges/sort.ts';
import { degreePreservingPermutation, maskShare, type Edge } from '../../../demo/src/graph/change.ts';
import { seeded } from '../../../demo/src/graph/random.ts';
import { bytes } from '../../../demo/src/parts/format.ts';
import { rocAuc } from '../../../src/index.ts';

const number = fc.oneof(
  fc.double({ noDefaultInfinity: false }),
  fc.integer({ min: -3, max: 3 }),
  fc.constant(-0),
);

describe('sortPermutation', () => {
  test('orders as a stable comparison sort does, with NaN last in both directions', () => {
    fc.assert(
      fc.property(fc.array(number), fc.boolean(), (keys, descending) => {
        const sign = descending ? -1 : 1;
        const expected = [...keys.keys()].sort((a, b) => {
          const [x, y] = [keys[a]!, keys[b]!];
          if (Number.isNaN(x) || Number.isNaN(y))
            return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
          return x === y ? a - b : x < y ? -sign : sign;
        });
        expect([...sortPermutation(keys, descending)]).toEqual(expected);
      }),
    );
  });
});

/** A table of random scores over all ordered pairs of a few nodes. */
function tableOf(nodes: number, random: () => number): EdgeColumns {
  const pairs = Array.from(
    { length: nodes * nodes },
    (_, k) => [Math.floor(k / nodes), k % nodes] as const,
  ).filter(([a, b]) => a !== b);
  const column = (value: () => number) => Float64Array.from(pairs, value);
  return {
    names: Array.from({ length: nodes }, (_, node) => `gene ${node}`),
    rows: pairs.length,
    src: Int32Array.from(pairs, ([a]) => a),
    dst: Int32Array.from(pairs, ([, b]) => b),
    // Few values, so that there are ties.
    score: column(() => (random() < 0.05 ? Number.NaN : Math.round(random() * 40) / 20 - 1)),
    pValue: column(random),
    qValue: column(random),
    hasEdge: Uint8Array.from(pairs, () => (random() < 0.2 ? 1 : 0)),
    conditioned: null,
    uncertainty: {},
    scoreColumn: 'corr',
    isSigned: true,
    isTested: true,
    pairs: [],
    metadata: {},
  };
}

describe('curves', () => {
  test('the area is that of the library, which leaves the graph’s own edges out; average precision by definition', () => {
    for (const seed of [1, 2, 3, 4]) {
      const random = seeded(seed);
      const table = tableOf(9, random);
      const positive = Uint8Array.from({ length: table.rows }, (_, row) =>
        table.hasEdge[row] || Number.isNaN(table.score[row]!) ? 0 : random() < 0.2 ? 1 : 0,
      );
      const kept = [...table.score.keys()].filter(
        (row) => !table.hasEdge[row] && !Number.isNaN(table.score[row]!),
      );
      const scores = kept.map((row) => table.score[row]!);
      const labels = kept.map((row) => positive[row] === 1);
      const answer = curves(table, positive);
      expect(answer.rocAuc).toBeCloseTo(rocAuc(Float64Array.from(scores), labels), 12);
      const hits = labels.filter(Boolean).length;
      // Precision among all pairs that score at least as high, averaged over the positives.
      const precision = scores
        .filter((_, k) => labels[k])
        .map((score) => {
          const above = scores.map((other, k) => [other >= score, labels[k]] as const).filter(([is]) => is);
          return above.filter(([, label]) => label).length / above.length;
        });
      expect(answer.averagePrecision).toBeCloseTo(precision.reduce((a, b) => a + b, 0) / hits, 12);
    }
  });
});

describe('RowQuery', () => {
  const table = tableOf(12, seeded(7));
  const query = new RowQuery(table);

  test('names sort as people read them', () => {
    const rows = query.rows({ column: 'src', descending: false }, noFilter);
    expect([...new Set([...rows].map((row) => table.src[row]))]).toEqual([...table.names.keys()]);
  });

  test('filters by thresholds, kind, both sides of a search and lists', () => {
    const filter = {
      ...noFilter,
      minScore: 0,
      maxQ: 0.5,
      edges: 'new',
      search: 'gene 1 > 3',
      sources: ['gene 1'],
    } as const;
    const rows = query.rows({ column: 'score', descending: true }, filter);
    const expected = [...table.score.keys()].filter(
      (row) =>
        table.score[row]! >= 0 &&
        table.qValue[row]! <= 0.5 &&
        !table.hasEdge[row] &&
        table.src[row] === 1 &&
        table.names[table.dst[row]!]!.includes('3'),
    );
    expect(new Set(rows)).toEqual(new Set(expected));
  });
});

test('PairIndex finds every row and nothing else', () => {
  const table = tableOf(40, seeded(8));
  const index = new PairIndex({ ...table, rows: table.rows - 3 });
  for (let row = 0; row < table.rows; row++)
    expect(index.rowOf(table.src[row]!, table.dst[row]!)).toBe(row < table.rows - 3 ? row : -1);
  expect(index.rowOf(5, 5)).toBe(-1);
});

describe('histogram', () => {
  test('counts every value once, borders included, and those outside apart', () => {
    const { counts, outside } = histogram([0, 0.1, 0.5, 0.999, 1, 1.5, Number.NaN], 0, 1, 4);
    expect([...counts]).toEqual([2, 0, 1, 2]);
    expect(outside).toBe(2);
  });

  test('uniform p-values are all null', () => {
    expect(nullShare(Float64Array.from({ length: 1000 }, (_, k) => (k + 0.5) / 1000))).toBeCloseTo(1, 10);
  });
});

describe('averageLinkageOrder', () => {
  test('keeps the members of clear clusters side by side', () => {
    const cluster = [0, 1, 0, 2, 1, 0, 2, 1, 0, 2];
    const nodes = cluster.length;
    const random = seeded(3);
    const distance = new Float32Array(nodes * nodes);
    for (let i = 0; i < nodes; i++)
      for (let j = 0; j < i; j++)
        distance[i * nodes + j] = distance[j * nodes + i] =
          (cluster[i] === cluster[j] ? 0.1 : 1) + 0.05 * random();
    const order = [...averageLinkageOrder(distance, nodes)];
    expect(order.toSorted((a, b) => a - b)).toEqual([...cluster.keys()]);
    const changes = order.filter((node, k) => k > 0 && cluster[node] !== cluster[order[k - 1]!]).length;
    expect(changes).toBe(2);
  });
});

describe('changed graphs', () => {
  const random = seeded(11);
  const all = Array.from({ length: 400 }, (_, k): Edge => [Math.floor(k / 20), k % 20]);
  const edges = all.filter(([a, b]) => a !== b && random() < 0.2);
  const degrees = (list: readonly Edge[], side: 0 | 1) =>
    list.reduce(
      (counts, edge) => counts.set(edge[side], (counts.get(edge[side]) ?? 0) + 1),
      new Map<number, number>(),
    );

  test('a permutation keeps every degree, makes no self or double edge, and moves edges', () => {
    const permuted = degreePreservingPermutation(edges, seeded(1));
    for (const side of [0, 1] as const)
      expect(new Map([...degrees(permuted, side)].sort())).toEqual(new Map([...degrees(edges, side)].sort()));
    expect(permuted.every(([a, b]) => a !== b)).toBe(true);
    const keys = new Set(permuted.map(String));
    expect(keys.size).toBe(edges.length);
    expect(edges.filter((edge) => !keys.has(String(edge))).length).toBeGreaterThan(edges.length / 3);
  });

  test('masking takes the share away and loses nothing', () => {
    const { kept, masked } = maskShare(edges, 0.25, seeded(2));
    expect(masked).toHaveLength(Math.round(edges.length / 4));
    expect(new Set([...kept, ...masked])).toEqual(new Set(edges));
  });
});

test('sizes in memory have three digits and the unit that they are read in', () => {
  const shown = [0, 999, 1000, 999_400, 999_600, 1_150_000, 999_999_999, 2 ** 30, 1.5e12];
  expect(shown.map((size) => bytes(size).replace('\u00a0', ' '))).toEqual([
    '0 bytes',
    '999 bytes',
    '1.00 kB',
    '999 kB',
    '1.00 MB',
    '1.15 MB',
    '1.00 GB',
    '1.07 GB',
    '1,500 GB',
  ]);
});
