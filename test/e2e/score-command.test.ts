import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Table } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { batches, decodeTable, GsnnModel } from '../../src/index.ts';
import { raggedFromLists } from '../../src/statistics.ts';
import { channelScoresByDefinition, type ChannelPair } from '../support/channel-definition.ts';
import { runIn, type Run } from '../support/command.ts';
import { valuesOf } from '../support/golden-batches.ts';
import { errorOfTable, goldenChannelScores } from '../support/golden-channels.ts';
import { largestError } from '../support/largest-error.ts';
import { fixture } from '../support/model-files.ts';
import { ranksByDefinition, regressionByDefinition } from '../support/regression-definition.ts';
import { scoresByDefinition, type PairRows } from '../support/score-definition.ts';

const NAME = 'layer-elu-ragged';

let folder: string;
let groups: readonly number[];
let nodes: number;
/** Channel values and magnitudes of the data, by the model in this process */
let channels: ChannelPair[];
let magnitudes: PairRows[];

/** Runs the command as a shell would. */
const run = (...args: string[]): Promise<Run> => runIn(folder, ...args);
const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-'));
  await writeFile(join(folder, 'm.onnx'), fixture(NAME));
  await writeFile(join(folder, 'd.npz'), fixture(NAME, 'edges-data.npz'));
  const model = await GsnnModel.load(fixture(NAME));
  groups = model.channelGroups;
  nodes = model.graph.nodeNames.function.length;
  channels = Array.from({ length: model.layers - 1 }, () => ({ x: [] as number[][], u: [] as number[][] }));
  const session = await model.trainingSession();
  const data = batches(fixture(NAME, 'edges-data.npz'), model, { batchSize: 32 });
  for await (const { x, y, size } of data) {
    const values = await valuesOf(session, { x: x as Float32Array, y: y as Float32Array, size });
    channels.forEach((pair, p) => {
      (pair.x as number[][]).push(...rowsIn(values.activations[p]!));
      (pair.u as number[][]).push(...rowsIn(values.gradients[p]!));
    });
  }
  await model.release();
  magnitudes = channels.map(({ x, u }) => ({ x: x.map(norms), y: u.map(norms) }));
});
afterAll(() => rm(folder, { recursive: true }));

function rowsIn(values: ArrayLike<number>): number[][] {
  const width = groups.length;
  return Array.from({ length: values.length / width }, (_, row) =>
    Array.from({ length: width }, (_, c) => values[row * width + c]!),
  );
}

function norms(row: readonly number[]): number[] {
  const sums = new Array<number>(nodes).fill(0);
  row.forEach((value, c) => (sums[groups[c]!]! += Math.abs(value)));
  return sums;
}

const input = ['--model', 'm.onnx', '--data', 'd.npz', '--batch-size', '32', '--backend', 'cpu'];

async function tableOf(path: string): Promise<Table> {
  return decodeTable(await readFile(join(folder, path)), 'arrow', path);
}

/** A column as a matrix, `source * nodes + target`. */
function matrixOf(table: Table, name: string): Float64Array {
  const matrix = new Float64Array(nodes ** 2).fill(NaN);
  const [values, sources, targets] = [name, 'src_idx', 'dst_idx'].map((each) => table.getChild(each)!);
  for (let row = 0; row < table.numRows; row++) {
    matrix[Number(sources!.get(row)) * nodes + Number(targets!.get(row))] = values!.get(row) as number;
  }
  return matrix;
}

const sets = async (): Promise<ReturnType<typeof raggedFromLists>> => {
  await using model = await GsnnModel.load(fixture(NAME));
  return raggedFromLists(model.graph.parents);
};

/** NaN left out. */
const over = (values: readonly number[], how: (values: readonly number[]) => number): number => {
  const scored = values.filter((value) => !Number.isNaN(value));
  return scored.length === 0 ? NaN : how(scored);
};
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
const rootMeanSquare = (values: readonly number[]): number => Math.sqrt(mean(values.map((v) => v * v)));

/** Matrices of the layer pairs as one. */
const together = (
  perPair: readonly (readonly (readonly number[])[])[],
  how: (values: readonly number[]) => number,
): number[] =>
  perPair[0]!.flatMap((row, i) =>
    row.map((_, j) =>
      over(
        perPair.map((scores) => scores[i]![j]!),
        how,
      ),
    ),
  );

// Two runs of one float32 model; products of channel scores are in float32 as well.
const CLOSE = 1e-5;

test.each([
  ['mean', '3'],
  ['max', '0.5'],
  ['pooled', '3'],
] as const)('infer --score channel --layer-agg %s --lambda %s', async (layerAgg, lambda) => {
  const options = ['--score', 'channel', '--layer-agg', layerAgg, '--lambda', lambda, '--include-self'];
  const out = `channel-${layerAgg}.arrow`;
  const { status, err } = await run(
    'infer',
    ...input,
    ...options,
    '--out',
    out,
    '--stats-out',
    'channel-stats.arrow',
  );
  expect([status, err]).toEqual([0, expect.stringContaining('107 samples')]);
  const table = await tableOf(out);
  const perPair = channels.map((pair) => channelScoresByDefinition([pair], groups, Number(lambda)));
  const right =
    layerAgg === 'pooled'
      ? channelScoresByDefinition(channels, groups, Number(lambda)).flat()
      : together(perPair, layerAgg === 'max' ? (values) => Math.max(...values) : rootMeanSquare);
  const largest = Math.max(...right.filter((value) => !Number.isNaN(value)));
  expect(largestError(matrixOf(table, 'score'), right) / largest).toBeLessThan(CLOSE);
  if (layerAgg !== 'pooled') {
    perPair.forEach((scores, p) => {
      expect(largestError(matrixOf(table, `score_a${p}_g${p + 1}`), scores.flat()) / largest).toBeLessThan(
        CLOSE,
      );
    });
  }
  // The same from the statistics alone.
  const again = await run('evaluate', '--stats', 'channel-stats.arrow', ...options, '--out', 'again.arrow');
  expect([again.status, again.err]).toEqual([0, '']);
  expect(largestError(matrixOf(await tableOf('again.arrow'), 'score'), right) / largest).toBeLessThan(CLOSE);
});

test('infer --score channel --post-norm: of values after the norm, also from its statistics', async () => {
  await using model = await GsnnModel.load(fixture('batch-relu'));
  const { channelGroups } = model;
  const count = model.graph.nodeNames.function.length;
  const session = await model.trainingSession({ usePreNorm: false });
  const pairs: { x: number[][]; u: number[][] }[] = Array.from({ length: model.layers - 1 }, () => ({
    x: [],
    u: [],
  }));
  const cut = (values: ArrayLike<number>): number[][] =>
    Array.from({ length: values.length / channelGroups.length }, (_, row) =>
      channelGroups.map((_, c) => values[row * channelGroups.length + c]!),
    );
  const data = fixture('batch-relu', 'edges-data.npz');
  for await (const { x, y, size } of batches(data, model, { batchSize: 32 })) {
    const values = await valuesOf(session, { x: x as Float32Array, y: y as Float32Array, size });
    pairs.forEach((pair, p) => {
      pair.x.push(...cut(values.activations[p]!));
      pair.u.push(...cut(values.gradients[p]!));
    });
  }
  await writeFile(join(folder, 'post.onnx'), fixture('batch-relu'));
  await writeFile(join(folder, 'post.npz'), data);
  const right = goldenChannelScores(pairs, channelGroups, 'mean');
  const given = ['--model', 'post.onnx', '--data', 'post.npz', '--batch-size', '32', '--backend', 'cpu'];
  const asked = ['--score', 'channel', '--include-self'];
  const written = ['--out', 'post.arrow', '--stats-out', 'post-stats.arrow'];
  const { status } = await run('infer', ...given, '--post-norm', ...asked, ...written);
  expect(status).toBe(0);
  await run('evaluate', '--stats', 'post-stats.arrow', ...asked, '--out', 'again.arrow');
  for (const file of ['post.arrow', 'again.arrow']) {
    const table = await tableOf(file);
    expect(errorOfTable(table, right, count), file).toBeLessThan(CLOSE);
    expect(table.schema.metadata.get('usePreNorm')).toBe('false');
  }
  // Layer norm erases magnitudes: refused in one line.
  const refused = await run('infer', ...input, '--post-norm', ...asked, '--out', 'no.arrow');
  expect([refused.status, refused.err.trim().split('\n').length]).toEqual([1, 1]);
});

test('--precision is of WebGPU; another word is wrong usage', async () => {
  for (const precision of ['exact', 'fast']) {
    const asked = ['--score', 'channel', '--precision', precision, '--out', 'p.arrow', '--json'];
    const { status, out } = await run('infer', ...input, ...asked);
    expect([status, json(out).backend]).toEqual([0, 'cpu']);
    expect((await tableOf('p.arrow')).schema.metadata.has('precision')).toBe(false);
  }
  for (const command of [
    ['infer', ...input],
    ['evaluate', '--stats', 's.arrow'],
    ['select', '--stats', 's.arrow'],
  ]) {
    const { status, err } = await run(...command, '--precision', 'half', '--out', 'no.arrow');
    expect([status, err]).toEqual([2, expect.stringContaining('--precision')]);
  }
});

test('infer and evaluate: regression, ranks and pooled observations', async () => {
  const conditioningSets = await sets();
  const asked = { layerAgg: 'mean', ridge: 1e-8, conditioningSets } as const;
  const ranked = magnitudes.map(({ x, y }) => ({ x: ranksByDefinition(x), y: ranksByDefinition(y) }));
  for (const [options, column, right] of [
    [
      ['--score', 'regression', '--lambda', '0.5'],
      'score',
      together(
        magnitudes.map((pair) => regressionByDefinition(pair, 0.5)),
        mean,
      ),
    ],
    [['--correlation', 'spearman'], 'corr', scoresByDefinition(ranked, { ...asked, score: 'corr' })],
    [
      ['--score', 'partial', '--correlation', 'spearman'],
      'corr',
      scoresByDefinition(ranked, { ...asked, score: 'partial' }),
    ],
  ] as const) {
    const all = [...options, '--include-self', '--json'];
    const { status, out } = await run(
      'infer',
      ...input,
      ...all,
      '--out',
      'one.arrow',
      '--stats-out',
      's.arrow',
    );
    expect(status).toBe(0);
    expect(largestError(matrixOf(await tableOf('one.arrow'), column), right)).toBeLessThan(CLOSE);
    const again = await run('evaluate', '--stats', 's.arrow', ...all, '--out', 'two.arrow');
    expect([again.status, again.err]).toEqual([0, '']);
    expect(largestError(matrixOf(await tableOf('two.arrow'), column), right)).toBeLessThan(CLOSE);
    expect(json(out).top).toEqual(json(again.out).top);
  }
  const pooled = await run(
    'evaluate',
    '--stats',
    's.arrow',
    '--layer-agg',
    'pooled',
    '--include-self',
    '--out',
    'p.arrow',
  );
  expect(pooled.status).toBe(0);
  // Pooled correlations are the mean over the pairs of layers in which both vary, over the square roots of how often each does.
  const varies = magnitudes.map(({ x, y }) => [varying(x), varying(y)] as const);
  const perPair = magnitudes.map((pair) => scoresByDefinition([pair], { ...asked, score: 'corr' }));
  const right = perPair[0]!.map((_, e) => {
    const [i, j] = [Math.floor(e / nodes), e % nodes];
    const often = (side: 0 | 1, node: number): number => varies.filter((both) => both[side][node]).length;
    const sum = perPair.reduce((total, scores) => total + (Number.isNaN(scores[e]) ? 0 : scores[e]!), 0);
    return sum / Math.sqrt(often(0, i) * often(1, j));
  });
  expect(largestError(matrixOf(await tableOf('p.arrow'), 'corr'), right)).toBeLessThan(CLOSE);
});

function varying(rows: readonly (readonly number[])[]): boolean[] {
  return rows[0]!.map((_, node) => {
    const values = rows.map((row) => row[node]!);
    return mean(values.map((v) => (v - mean(values)) ** 2)) > 1e-14 * mean(values.map((v) => v * v));
  });
}

test('select takes edges in, from statistics alone', async () => {
  await run(
    'infer',
    ...input,
    '--score',
    'regression',
    '--candidates-only',
    '--out',
    'e.arrow',
    '--stats-out',
    's.arrow',
  );
  const best = await tableOf('e.arrow');
  const { status, out, err } = await run(
    ...[
      'select',
      '--stats',
      's.arrow',
      '--score',
      'regression',
      '--steps',
      '4',
      '--out',
      'chosen.csv',
      '--json',
    ],
  );
  expect([status, err]).toEqual([0, '']);
  const report = json(out);
  expect(report).toMatchObject({
    command: 'select',
    score: 'regression',
    steps: 4,
    perStep: 1,
    stopAt: 0,
    samples: 107,
  });
  const edges = report.edges as { step: number; src: string; dst: string; score: number }[];
  expect(edges.map(({ step }) => step)).toEqual(edges.map((_, k) => k + 1));
  // The first is the first of the table; the others' scores are given those before.
  expect(edges[0]).toMatchObject({
    src: String(best.getChild('src_func')!.get(0)),
    dst: String(best.getChild('dst_func')!.get(0)),
  });
  expect(edges[0]!.score).toBeCloseTo(best.getChild('score')!.get(0) as number, 10);
  const lines = (await readFile(join(folder, 'chosen.csv'), 'utf8')).trim().split('\n');
  expect(lines[0]).toBe('step,src_func,dst_func,src_idx,dst_idx,score,n_cond');
  expect(lines).toHaveLength(edges.length + 1);
  const text = await run('select', '--stats', 's.arrow', '--stop-at', '2', '--out', 'none.csv');
  expect(text.out).toContain('0 edges, ended by --stop-at');
});

test('select by channel scores: each is given those before, by definition', async () => {
  const written = ['--out', 'e.arrow', '--stats-out', 'c.arrow'];
  await run('infer', ...input, '--score', 'channel', ...written);
  const { status, out, err } = await run(
    ...[
      'select',
      '--stats',
      'c.arrow',
      '--score',
      'channel',
      '--steps',
      '6',
      '--out',
      'chosen.csv',
      '--json',
    ],
  );
  expect([status, err]).toEqual([0, '']);
  await using model = await GsnnModel.load(fixture(NAME));
  const names = model.graph.nodeNames.function;
  const taken: number[][] = names.map(() => []);
  const edges = json(out).edges as { src: string; dst: string; score: number }[];
  expect(edges).toHaveLength(6);
  for (const { src, dst, score } of edges) {
    const [source, target] = [names.indexOf(src), names.indexOf(dst)];
    const given = (channel: number): number => (taken[target]!.includes(groups[channel]!) ? 0 : 3);
    const perPair = channels.map(
      (pair) => channelScoresByDefinition([pair], groups, given)[source]![target]!,
    );
    // As for all channel scores, of the largest one.
    expect(Math.abs(score - over(perPair, rootMeanSquare)) / edges[0]!.score).toBeLessThan(CLOSE);
    taken[target]!.push(source);
  }
});

test('rank: figures with intervals, as scikit-learn has them', async () => {
  const of = json(
    await readFile(new URL('../fixtures/recovery/figures.json', import.meta.url), 'utf8'),
  ) as unknown as {
    scores: (number | null)[][];
    edges: [number, number][];
    positives: [number, number][];
    figures: Record<string, number>;
  };
  const edges = new Set(of.edges.map(String));
  const rows = of.scores.flatMap((row, i) =>
    row.map((score, j) => `n${i},n${j},${score ?? ''},${edges.has(String([i, j]))}`),
  );
  await writeFile(join(folder, 't.csv'), `src_func,dst_func,score,has_edge\n${rows.join('\n')}\n`);
  const pairs = of.positives.map(([i, j]) => `n${i},n${j}`);
  await writeFile(join(folder, 'p.csv'), `src,dst\n${pairs.join('\n')}\n`);
  const asked = ['rank', '--edges', 't.csv', '--positives', 'p.csv', '--top-k', '1,3', '--seed', '4'];
  const { figures, intervals } = json((await run(...asked, '--json')).out).recovery as {
    figures: Record<string, number>;
    intervals: Record<string, [number, number]>;
  };
  for (const [name, value] of Object.entries(of.figures)) {
    expect(figures[name]).toBeCloseTo(value, name === 'early_precision' ? 3 : 12);
    expect(intervals[name]![0]).toBeLessThanOrEqual(figures[name]!);
    expect(intervals[name]![1]).toBeGreaterThanOrEqual(figures[name]!);
  }
  const { out } = await run(...asked, '--bootstrap', '0');
  expect(out).toMatch(/\nauc +0\.6518\n/);
});

test('what the statistics do not have is one line', async () => {
  await run('infer', ...input, '--out', 'e.arrow', '--stats-out', 'plain.arrow');
  for (const [args, sentence] of [
    [
      ['evaluate', '--correlation', 'spearman'],
      /Spearman's correlations need channel values, which the statistics lack/,
    ],
    [['select', '--correlation', 'spearman'], /Spearman's correlations need channel values/],
    [['select', '--score', 'channel'], /Channel scores need channel values, which the statistics lack/],
  ] as const) {
    const [name, ...options] = args;
    const { status, err } = await run(name, '--stats', 'plain.arrow', ...options, '--out', 'no.csv');
    expect([status, err]).toEqual([1, expect.stringMatching(sentence)]);
    expect(err.trim().split('\n')).toHaveLength(1);
  }
  expect((await run('select', '--stats', 'plain.arrow', '--steps', '0', '--out', 'no.csv')).status).toBe(2);
});
