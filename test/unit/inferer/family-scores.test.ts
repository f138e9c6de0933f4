import type { Table } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Batch,
  batches,
  decodeTable,
  encodeTable,
  GsnnModel,
  type InfererOptions,
  MagnitudeEdgeInferer,
} from '../../../src/index.ts';
import { valuesOf } from '../../support/golden-batches.ts';
import { fixture } from '../../support/model-files.ts';
import { largestError } from '../../support/largest-error.ts';
import { refusal } from '../../support/refusal.ts';
import { ranksByDefinition, regressionByDefinition } from '../../support/regression-definition.ts';
import type { PairRows } from '../../support/score-definition.ts';

let model: GsnnModel;
let data: Batch[];
/** Magnitudes of the data */
let pairs: PairRows[];

beforeAll(async () => {
  model = await GsnnModel.load(fixture('layer-elu-ragged'));
  const file = fixture('layer-elu-ragged', 'edges-data.npz');
  data = [];
  for await (const batch of batches(file, model, { batchSize: 32 })) data.push(batch);
  const session = await model.trainingSession();
  const all = Array.from({ length: model.layers - 1 }, () => ({ x: [] as number[][], y: [] as number[][] }));
  for (const { x, y, size } of data) {
    const run = await valuesOf(session, { x: x as Float32Array, y: y as Float32Array, size });
    all.forEach((pair, p) => {
      pair.x.push(...norms(run.activations[p]!, size));
      pair.y.push(...norms(run.gradients[p]!, size));
    });
  }
  pairs = all;
});
afterAll(() => model.release());

/** l1 norms over the channels of each node, `[size][nodes]`. */
function norms(values: ArrayLike<number>, size: number): number[][] {
  const { channelGroups } = model;
  const nodes = model.graph.nodeNames.function.length;
  return Array.from({ length: size }, (_, row) => {
    const sums = new Array<number>(nodes).fill(0);
    channelGroups.forEach((node, c) => (sums[node]! += Math.abs(values[row * channelGroups.length + c]!)));
    return sums;
  });
}

const create = (options: InfererOptions = {}): Promise<MagnitudeEdgeInferer> =>
  MagnitudeEdgeInferer.create(model, { backend: 'cpu', ...options });

const column = (table: Table, name: string): (number | null)[] =>
  [...table.getChild(name)!] as (number | null)[];

/** Largest difference between a column and a matrix, NaN where both have it. */
function worst(table: Table, name: string, right: readonly (readonly number[])[]): number {
  const [values, sources, targets] = [name, 'src_idx', 'dst_idx'].map((each) => column(table, each));
  return largestError(
    values as number[],
    values!.map((_, row) => right[sources![row]!]![targets![row]!]!),
  );
}

const meanOf = (matrices: readonly number[][][]): number[][] =>
  matrices[0]!.map((row, i) =>
    row.map((_, j) => {
      const scores = matrices.map((matrix) => matrix[i]![j]!).filter((score) => !Number.isNaN(score));
      return scores.reduce((sum, score) => sum + score, 0) / scores.length;
    }),
  );

// Magnitudes from float32 channels; two runs of the model may differ in their last digits.
const CLOSE = 1e-5;

test('a regression table has scores, errors and p, and says how it was made', async () => {
  await using inferer = await create();
  await inferer.fit(data);
  const table = await inferer.evaluate({ score: 'regression', excludeSelf: false });
  const perPair = pairs.map((pair) => regressionByDefinition(pair, 0.3));
  perPair.forEach((beta, p) => {
    expect(worst(table, `score_a${p}_g${p + 1}`, beta)).toBeLessThan(CLOSE);
  });
  expect(worst(table, 'score', meanOf(perPair))).toBeLessThan(CLOSE);
  expect(table.schema.fields.map(({ name }) => name)).toEqual([
    ...['src_func', 'dst_func', 'src_idx', 'dst_idx', 'score', 'has_edge'],
    ...pairs.map((_, p) => `score_a${p}_g${p + 1}`),
    ...['standard_error', 'p_value', 'q_value'],
  ]);
  expect(Object.fromEntries(table.schema.metadata)).toMatchObject({
    score: 'regression',
    layerAgg: 'mean',
    lambda: '0.3',
    reduction: 'l1',
    backend: 'cpu',
    solver: 'cpu',
  });
  expect(table.schema.metadata.has('ridge')).toBe(false);
  // Sorted by score; q is over the rows in the order of p.
  const scores = column(table, 'score') as number[];
  const scored = scores.filter((score) => !Number.isNaN(score));
  expect([...scored].sort((a, b) => b - a)).toEqual(scores.slice(0, scored.length));
  const p = column(table, 'p_value') as number[];
  const q = column(table, 'q_value') as number[];
  const ascending = [...p.keys()].sort((a, b) => p[a]! - p[b]!);
  let least = 1;
  for (let rank = p.length; rank > 0; rank--) {
    const row = ascending[rank - 1]!;
    least = Math.min(least, (p[row]! * p.length) / rank);
    expect(q[row]).toBeCloseTo(least, 12);
  }
  const first = await inferer.evaluate({ score: 'regression', maxQ: 0.5, excludeSelf: false });
  expect(column(first, 'score')).toEqual(scores.filter((_, row) => q[row]! <= 0.5));
  expect(first.numRows).toBeGreaterThan(0);
});

test('ranks, and the observations of all layer pairs, come to the table', async () => {
  await using inferer = await create();
  await inferer.fit(data);
  const ranked = await inferer.evaluate({ score: 'regression', correlation: 'spearman', lambda: 1 });
  const right = pairs.map(({ x, y }) =>
    regressionByDefinition({ x: ranksByDefinition(x), y: ranksByDefinition(y) }, 1),
  );
  expect(worst(ranked, 'score', meanOf(right))).toBeLessThan(CLOSE);
  expect(ranked.schema.metadata.get('correlation')).toBe('spearman');
  const pooled = await inferer.evaluate({ score: 'partial', layerAgg: 'pooled' });
  expect(pooled.schema.fields.map(({ name }) => name)).toEqual([
    ...['src_func', 'dst_func', 'src_idx', 'dst_idx', 'corr', 'has_edge', 'n_cond', 'p_value', 'q_value'],
  ]);
  expect(pooled.schema.metadata.get('P')).toBe(String(pairs.length));
});

test('saved statistics give the same scores, but no ranks', async () => {
  await using inferer = await create();
  await inferer.fit(data);
  const bytes = await inferer.saveStats();
  const table = await inferer.evaluate({ score: 'regression' });
  await using other = await create();
  await other.loadStats(bytes);
  expect(column(await other.evaluate({ score: 'regression' }), 'score')).toEqual(column(table, 'score'));
  const refused = await refusal(other.evaluate({ correlation: 'spearman' }));
  expect(refused.code).toBe('invalid-argument');
  expect(refused.message).toMatch(/^Spearman's correlations need .* fit all samples here\.$/);
  await using withChannels = await create();
  await withChannels.loadStats(await inferer.saveStats({ channels: true }));
  expect(column(await withChannels.evaluate({ correlation: 'spearman' }), 'corr')).toEqual(
    column(await inferer.evaluate({ correlation: 'spearman' }), 'corr'),
  );
  await using without = await create({ channels: false });
  await without.fit(data);
  expect((await refusal(without.evaluate({ correlation: 'spearman' }))).message).toContain('channels: false');
});

test('ranks do not go with channel scores, in a table or a selection', async () => {
  await using inferer = await create();
  await inferer.fit(data);
  const ranks = { score: 'channel', correlation: 'spearman' } as const;
  for (const scoring of [inferer.evaluate(ranks), inferer.scores(ranks), inferer.select(ranks)]) {
    const refused = await refusal(scoring);
    expect(refused.code).toBe('invalid-argument');
    expect(refused.message).toBe("correlation: 'spearman' applies to magnitudes, not to score: 'channel'.");
  }
});

test('regressions and ranks are resampled like the others', async () => {
  await using inferer = await create({ uncertainty: { groups: 4, permutations: 9 } });
  await inferer.fit(data);
  for (const options of [
    { score: 'regression' },
    { score: 'corr', correlation: 'spearman' },
    { score: 'partial', layerAgg: 'pooled' },
  ] as const) {
    const table = await inferer.evaluate(options);
    const name = options.score === 'regression' ? 'score' : 'corr';
    const errors = column(table, `${name}_se`) as number[];
    const scored = errors.filter((error) => !Number.isNaN(error));
    expect(scored.length).toBeGreaterThan(10);
    expect(scored.every((error) => error > 0 && error < 1)).toBe(true);
    const p = column(table, 'p_empirical') as number[];
    expect(p.every((value) => value >= 0.1 && value <= 1)).toBe(true);
    // The jackknife's error of regression scores is that of the formula, roughly: both are of the same samples.
    if (options.score !== 'regression') continue;
    const analytic = column(table, 'standard_error') as number[];
    const ratio = scored.map((error, row) => error / analytic[row]!).sort((a, b) => a - b);
    expect(ratio[ratio.length >> 1]).toBeGreaterThan(0.3);
    expect(ratio[ratio.length >> 1]).toBeLessThan(3);
  }
});

test('a regression table survives being written and read', async () => {
  await using inferer = await create();
  await inferer.fit(data);
  const table = await inferer.evaluate({ score: 'regression' });
  for (const format of ['arrow', 'csv', 'parquet'] as const) {
    const back = await decodeTable(encodeTable(table, format), format, 'edges');
    expect(column(back, 'standard_error')).toEqual(column(table, 'standard_error'));
  }
});
