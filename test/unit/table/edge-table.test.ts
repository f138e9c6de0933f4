import { type RecordBatch, RecordBatchFileWriter, Table, tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { edgeTable, edgeTableBatches, tableCoverage } from '../../../src/index.ts';
import { conditioningSets, fisherPValue } from '../../../src/statistics.ts';
import { checkTableSize } from '../../../src/table/edge-table.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import { column, graph, scores, tinyBatches, tinyTable } from './tiny.ts';

/** The pairs of the tiny table by score, ties by (source, target), NaN last. */
const order = [
  [0, 1], // 0.5
  [1, 0],
  [2, 1],
  [2, 3], // 0.3
  [3, 1], // 0.25
  [3, 2], // 0.125
  [0, 3], // 0
  [1, 3], // -0
  [0, 2], // -0.25
  [3, 0], // -1
  [1, 2], // NaN
  [2, 0],
];

test('columns, types, order of rows, and metadata', async () => {
  const table = await tinyTable();
  expect(table.schema.fields.map(({ name, type }) => `${name}: ${String(type)}`)).toEqual([
    'src_func: Dictionary<Int32, Utf8>',
    'dst_func: Dictionary<Int32, Utf8>',
    'src_idx: Int32',
    'dst_idx: Int32',
    'corr: Float64',
    'has_edge: Bool',
    'corr_a0_g1: Float64',
    'corr_a1_g2: Float64',
    'p_value: Float64',
    'q_value: Float64',
  ]);
  expect(column(table, 'src_idx')).toEqual(order.map(([source]) => source));
  expect(column(table, 'dst_idx')).toEqual(order.map(([, target]) => target));
  const names = graph.nodeNames.function;
  expect(column(table, 'src_func')).toEqual(order.map(([source]) => names[source!]));
  expect(column(table, 'dst_func')).toEqual(order.map(([, target]) => names[target!]));
  const element = order.map(([source, target]) => 4 * source! + target!);
  expect(column(table, 'corr')).toEqual(element.map((e) => scores.aggregated[e]));
  expect(column(table, 'corr_a0_g1')).toEqual(element.map((e) => scores.perPair[0]![e]));
  expect(column(table, 'corr_a1_g2')).toEqual(element.map((e) => scores.perPair[1]![e]));
  expect(column(table, 'has_edge')).toEqual(element.map((e) => [1, 9, 15].includes(e)));
  expect(Object.fromEntries(table.schema.metadata)).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
    score: 'corr',
    layerAgg: 'mean',
    reduction: 'l1',
    usePreNorm: 'true',
    ridge: '1e-8',
    loss: 'mse',
    n: '20',
    N: '4',
    P: '2',
    backend: 'cpu',
    pairs: '12',
    unscored: JSON.stringify({
      pairs: 2,
      constantSource: 1,
      constantTarget: 1,
      explained: 0,
      knownParent: 0,
      singular: 0,
    }),
    candidates: '10',
    unscoredCandidates: '2',
  });
  expect(tableCoverage(table)).toEqual({
    pairs: 12,
    unscored: { pairs: 2, constantSource: 1, constantTarget: 1, explained: 0, knownParent: 0, singular: 0 },
    candidates: { pairs: 10, unscored: 2 },
  });
  table.schema.metadata.set('unscored', '{}');
  expect(tableCoverage(table)).toBeUndefined();
});

/** Benjamini-Hochberg by its definition, in quadratic time. */
function qByDefinition(p: readonly number[]): number[] {
  const sorted = [...p].sort((a, b) => a - b);
  return p.map((own) =>
    Math.min(1, ...sorted.map((other, k) => (other >= own ? (other * p.length) / (k + 1) : 1))),
  );
}

test.each(['corr', 'partial'] as const)('p and q of %s scores', async (score) => {
  const table = await tinyTable(score);
  const parents = [0, 2, 0, 0];
  const conditioned = order.map(([, target]) => (score === 'partial' ? parents[target!]! : 0));
  if (score === 'partial') expect(column(table, 'n_cond')).toEqual(conditioned);
  const p = order.map(([i, j], row) => fisherPValue(scores.aggregated[4 * i! + j!]!, 20, conditioned[row]!));
  expect(column(table, 'p_value')).toEqual(p);
  const q = column(table, 'q_value') as number[];
  // One rounding apart: the definition divides in the same order.
  qByDefinition(p).forEach((expected, row) => {
    expect(q[row]).toBeCloseTo(expected, 15);
  });
});

test('fewer rows leave p and q as they were', async () => {
  const all = await tinyTable('corr');
  const q = column(all, 'q_value') as number[];
  const top = await tinyTable('corr', { top: 3 });
  expect(column(top, 'q_value')).toEqual(q.slice(0, 3));
  const candidates = await tinyTable('corr', { candidatesOnly: true, top: 2 });
  expect(column(candidates, 'src_idx')).toEqual([1, 2]);
  expect(column(candidates, 'has_edge')).toEqual([false, false]);
  const limit = q[2]!;
  const significant = await tinyTable('corr', { maxQ: limit });
  expect(column(significant, 'q_value')).toEqual(q.filter((value) => value <= limit));
  expect((await tinyTable('corr', { top: 0 })).numRows).toBe(0);
});

test('self pairs on request, a self edge among them', async () => {
  const table = await tinyTable('corr', { excludeSelf: false });
  expect(table.numRows).toBe(16);
  expect([table.get(0)?.src_idx, table.get(0)?.dst_idx, table.get(0)?.corr]).toEqual([0, 0, 1]);
  const rows = column(table, 'src_idx').map((source, row) => [source, column(table, 'dst_idx')[row]]);
  const self = rows.findIndex(([source, target]) => source === 3 && target === 3);
  expect(column(table, 'has_edge')[self]).toBe(true);
});

test('batches of rows hold what the table holds, under one schema, and go into one file', async () => {
  const whole = await tinyTable('partial');
  const batches = await tinyBatches('partial', { rowsPerBatch: 5 });
  expect(batches.map(({ numRows }) => numRows)).toEqual([5, 5, 2]);
  const writer = new RecordBatchFileWriter();
  for (const batch of batches) writer.write(batch);
  writer.finish();
  const back = tableFromIPC(await writer.toUint8Array());
  expect(back.schema.metadata).toEqual(whole.schema.metadata);
  for (const { name } of whole.schema.fields) expect(column(back, name), name).toEqual(column(whole, name));
  const none = await tinyBatches('corr', { top: 0 });
  expect(none.map(({ numRows }) => numRows)).toEqual([0]);
  await expect(tinyBatches('corr', { rowsPerBatch: 0 })).rejects.toThrow(
    'rowsPerBatch must be a whole number',
  );
});

test.each(['corr', 'partial'] as const)(
  'a large table of %s scores comes in batches as it does whole',
  async (score) => {
    const nodes = 300;
    const random = randomNumbers(5);
    const matrix = () =>
      Float32Array.from({ length: nodes * nodes }, () => (random() < 0.01 ? NaN : random() ** 3 - 0.4));
    const matrices = {
      nodes,
      aggregated: matrix(),
      perPair: [matrix(), matrix()],
      nodeFlags: new Uint8Array(nodes),
    };
    const edges = [
      Array.from({ length: 900 }, (_, e) => (e * 7) % nodes),
      Array.from({ length: 900 }, (_, e) => (e * e + 1) % nodes),
    ] as const;
    const names = Array.from({ length: nodes }, (_, i) => `f${i}`);
    const large = {
      nodeNames: { input: [], function: names, output: [] },
      edgeIndex: { 'input,function': [[], []], 'function,function': edges, 'function,output': [[], []] },
    } as const;
    const sets = conditioningSets(edges, nodes);
    const settings = {
      score,
      layerAgg: 'mean',
      reduction: 'l1',
      usePreNorm: true,
      ridge: 0,
      loss: 'mse',
    } as const;
    const provenance = { ...settings, samples: 40, backend: 'cpu' };
    for (const options of [{}, { candidatesOnly: true, top: 80_000 }, { maxQ: 0.9 }]) {
      const whole = await edgeTable(matrices, large, sets, provenance, options);
      const batches: RecordBatch[] = [];
      const sizes: number[] = [];
      for await (const batch of edgeTableBatches(matrices, large, sets, provenance, {
        ...options,
        rowsPerBatch: 9999,
      })) {
        batches.push(batch);
        sizes.push(batch.numRows);
      }
      expect(Math.max(...sizes)).toBe(9999);
      const joined = new Table(batches);
      expect(joined.numRows).toBe(whole.numRows);
      expect(joined.schema.metadata).toEqual(whole.schema.metadata);
      // The names have the indices as their codes.
      for (const name of ['src_idx', 'dst_idx', 'corr', 'corr_a0_g1', 'corr_a1_g2', 'p_value', 'q_value']) {
        const [found, expected] = [joined, whole].map(
          (table) => table.getChild(name)!.toArray() as Float64Array,
        );
        expect(
          expected!.findIndex((value, row) => !Object.is(value, found![row])),
          name,
        ).toBe(-1);
      }
    }
  },
);

test('float32 scores stay float32', async () => {
  const aggregated = Float32Array.from(scores.aggregated);
  const table = await edgeTable(
    { nodes: 4, aggregated, perPair: [aggregated], nodeFlags: new Uint8Array(4) },
    graph,
    { offsets: new Uint32Array(5), indices: new Uint32Array(0) },
    {
      score: 'corr',
      layerAgg: 'max',
      reduction: 'l2',
      usePreNorm: false,
      ridge: 0,
      loss: 'l1',
      samples: 9,
      backend: 'webgpu',
    },
  );
  expect(String(table.getChild('corr')!.type)).toBe('Float32');
});

test('options out of range, and scores of another graph, are refused', async () => {
  const refused = (code: string): Error => expect.objectContaining({ code }) as Error;
  await expect(tinyTable('corr', { top: -1 })).rejects.toThrow(refused('invalid-argument'));
  await expect(tinyTable('corr', { top: NaN })).rejects.toThrow(refused('invalid-argument'));
  await expect(tinyTable('corr', { maxQ: 2 })).rejects.toThrow(refused('invalid-argument'));
  await expect(tinyTable('corr', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
    'enough',
  );
});

test('a table that no page could hold is refused before scores are computed for it, fewer rows are not', () => {
  // 10,000 nodes and 4 layer pairs: 99,990,000 rows of 72 bytes and a bit.
  expect(() => {
    checkTableSize(10_000, 'corr', 4, {});
  }).toThrow(/^A table of 99990000 rows takes 7211778750 bytes, .*evaluateBatches/);
  for (const options of [{ top: 1000 }, { maxQ: 0.05 }]) checkTableSize(10_000, 'corr', 4, options);
  checkTableSize(5000, 'partial', 4, {});
});
