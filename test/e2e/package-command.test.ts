import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tableFromIPC, type Table } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setV8Flags } from '../../src/cli/v8-flags.ts';
import { decodeTable } from '../../src/index.ts';
import { decodeModel } from '../../src/training-graph.ts';
import { version } from '../../package.json' with { type: 'json' };
import { runIn, type Run } from '../support/command.ts';
import { expectGoldenEdges } from '../support/edge-goldens.ts';
import { fixture, withProfile } from '../support/model-files.ts';

const example = fileURLToPath(new URL('../../demo/public/example/', import.meta.url));

/** Runs the command as a shell would, in the folder of the tests' files. */
const run = (...args: string[]): Promise<Run> => runIn(folder, ...args);

const header = 'in_0,in_1,in_2,in_3,out_0,out_1,out_2\n';
const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

/** The package as it is built. */
const builtLibrary = async () =>
  (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof import('../../src/index.ts');

let folder: string;
beforeAll(async () => {
  // The command's products are fused: those of this process round alike, if it is asked before any WebAssembly runs.
  setV8Flags();
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-'));
  await writeFile(join(folder, 'm.onnx'), fixture('layer-elu'));
  await writeFile(join(folder, 'd.npz'), fixture('layer-elu', 'edges-data.npz'));
});
afterAll(() => rm(folder, { recursive: true }));

const input = ['--model', 'm.onnx', '--data', 'd.npz', '--batch-size', '32', '--backend', 'cpu'];

describe('infer', () => {
  test.each(['arrow', 'csv', 'parquet'] as const)('%s out, against the float64 oracle', async (format) => {
    for (const score of ['corr', 'partial']) {
      const path = `edges-${score}.${format}`;
      const { status, out, err } = await run('infer', ...input, '--score', score, '--out', path, '--json');
      expect([status, err]).toEqual([0, expect.stringContaining('batch 4/4, 107 samples')]);
      expect(json(out)).toMatchObject({
        samples: 107,
        rows: 42,
        backend: 'cpu',
        executionProvider: 'wasm',
        out: path,
      });
      const table = await decodeTable(await readFile(join(folder, path)), format, path);
      expectGoldenEdges(table, tableFromIPC(fixture('layer-elu', `edges-${score}.arrow`)));
    }
  });

  test('batches of the loss run as is fast for the model: the oracle’s scores', async () => {
    const sizes = ['--batch-size', 'auto', '--loss-batch-size', '32'];
    const { status, out, err } = await run('infer', ...input, ...sizes, '--out', 'auto.arrow', '--json');
    expect([status, err]).toEqual([0, expect.stringContaining('batch 1/1, 107 samples')]);
    expect(json(out)).toMatchObject({ samples: 107, batches: 1 });
    const table = await decodeTable(await readFile(join(folder, 'auto.arrow')), 'arrow', 'auto.arrow');
    expectGoldenEdges(table, tableFromIPC(fixture('layer-elu', 'edges-corr.arrow')));
  });

  test('precision fast on the CPU: correlations of the bundled example within 1e-6, the rest as it is', async () => {
    const files = ['--model', join(example, 'model.onnx'), '--data', join(example, 'data.npz')];
    const tables = async (precision: string) => {
      const found = [];
      for (const score of ['corr', 'partial']) {
        const out = `${precision}-${score}.arrow`;
        const asked = ['--backend', 'cpu', '--precision', precision, '--score', score, '--out', out];
        const { status, err } = await run('infer', ...files, ...asked);
        expect([status, err]).toEqual([0, expect.any(String)]);
        found.push(tableFromIPC(await readFile(join(folder, out))));
      }
      return found as [Table, Table];
    };
    const [exact, fast] = [await tables('exact'), await tables('fast')];
    // Ties may change places within the error: rows by pair of nodes.
    const scoresOf = (table: Table): Map<string, number> => {
      const [sources, targets, scores] = ['src_idx', 'dst_idx', 'corr'].map((name) => table.getChild(name)!);
      return new Map(
        Array.from(scores!, (score: number, row) => [`${sources!.get(row)} ${targets!.get(row)}`, score]),
      );
    };
    const [found, expected] = [scoresOf(fast[0]), scoresOf(exact[0])];
    expect(found.size).toBe(expected.size);
    const errors = Array.from(expected, ([pair, score]) => Math.abs(found.get(pair)! - score));
    const largest = errors.reduce((most, error) => Math.max(most, Number.isNaN(error) ? 0 : error), 0);
    expect(largest).toBeLessThan(1e-6);
    expect(largest).toBeGreaterThan(0);
    expect(errors.filter(Number.isNaN).length).toBe(
      Array.from(expected.values()).filter(Number.isNaN).length,
    );
    const precisionOf = (table: Table): string | undefined => table.schema.metadata.get('precision');
    expect([exact, fast].map((both) => both.map(precisionOf))).toEqual([
      [undefined, undefined],
      ['fast', undefined],
    ]);
    expect(scoresOf(fast[1])).toEqual(scoresOf(exact[1]));
  });

  test('every option reaches the method', async () => {
    const options = ['--reduction', 'l2', '--layer-agg', 'max', '--score', 'partial'];
    const { status } = await run('infer', ...input, ...options, '--out', 'l2.arrow');
    expect(status).toBe(0);
    const golden = tableFromIPC(fixture('layer-elu', 'edges-partial-max-l2.arrow'));
    expectGoldenEdges(tableFromIPC(await readFile(join(folder, 'l2.arrow'))), golden);

    expect(
      (await run('infer', ...input, '--include-self', '--loss', 'mse', '--out', 'self.arrow')).status,
    ).toBe(0);
    const withSelf = tableFromIPC(fixture('layer-elu', 'edges-corr-with-self.arrow'));
    expectGoldenEdges(tableFromIPC(await readFile(join(folder, 'self.arrow'))), withSelf);
  });

  test('weights of outputs and edges to mask, from files: what the library gives with them', async () => {
    await writeFile(join(folder, 'mask.onnx'), fixture('layer-elu-mask'));
    await writeFile(join(folder, 'weights.csv'), 'output;weight\nout_2;0,5\nout_0;3\n');
    await writeFile(join(folder, 'masked.csv'), 'gene_0,gene_2\n');
    const asked = ['--output-weights', 'weights.csv', '--mask-edges', 'masked.csv'];
    const masked = ['--model', 'mask.onnx', ...input.slice(2)];
    const { status, err } = await run('infer', ...masked, ...asked, '--out', 'masked.arrow');
    expect([status, err]).toEqual([0, expect.any(String)]);
    const found = tableFromIPC(await readFile(join(folder, 'masked.arrow')));

    const library = await builtLibrary();
    await using model = await library.GsnnModel.load(fixture('layer-elu-mask'));
    await using inferer = await library.MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    const data = library.batches(fixture('layer-elu', 'edges-data.npz'), model, { batchSize: 32 });
    await inferer.fit(data, { outputWeights: [3, 1, 0.5], maskedEdges: [['gene_0', 'gene_2']] });
    const expected = await inferer.evaluate();
    for (const column of ['src_func', 'dst_func', 'has_edge'])
      expect([...found.getChild(column)!]).toEqual([...expected.getChild(column)!]);
    // Threads of the runtime may add up in another order.
    const scores = [...expected.getChild('corr')!] as number[];
    [...found.getChild('corr')!].forEach((score: number, row) => {
      if (Number.isNaN(scores[row])) expect(score).toBeNaN();
      else expect(score).toBeCloseTo(scores[row]!, 6);
    });

    await writeFile(join(folder, 'weights.csv'), 'out_2,0.5\nOUT_0,3\n');
    const refused = await run('infer', ...masked, ...asked, '--out', 'refused.arrow');
    expect(refused).toMatchObject({
      status: 1,
      err: expect.stringContaining("weights.csv, line 2: 'OUT_0' is not an output of the model") as string,
    });
  });

  test('a summary for people: what ran where, how long, and the first rows', async () => {
    const { out } = await run('infer', ...input, '--out', 'e.csv', '--top', '7');
    expect(out).toMatch(/4 input, 7 function and 3 output nodes/);
    expect(out).toMatch(/ran on +cpu \(asked for\); model on wasm/);
    expect(out).toMatch(/load .* s, fit .* s, evaluate .* s/);
    expect(out).toMatch(/wrote +e\.csv: 7 rows/);
    expect(out).toMatch(/source +target +corr +q +known/);
  });

  test('left to itself, it says which backend it takes and why', async () => {
    const options = ['--model', 'm.onnx', '--data', 'd.npz', '--out', 'auto.csv', '--json'];
    const { status, out } = await run('infer', ...options);
    expect(status).toBe(0);
    const { backend, backendReason } = json(out);
    expect(['cpu', 'webgpu']).toContain(backend);
    expect(backendReason).toMatch(/\w/);
  });

  test('data in several files are as one: the same statistics to the bit', async () => {
    const rows = Array.from({ length: 100 }, (_, row) =>
      Array.from({ length: 7 }, (_, column) => Math.sin(row * 7 + column)).join(','),
    );
    const csv = (from: number, to: number): string => `${header}${rows.slice(from, to).join('\n')}\n`;
    await Promise.all([
      writeFile(join(folder, 'whole.csv'), csv(0, 100)),
      writeFile(join(folder, 'one.csv'), csv(0, 45)),
      writeFile(join(folder, 'two.csv'), csv(45, 46)),
      writeFile(join(folder, 'three.csv'), csv(46, 100)),
    ]);
    const settings = ['infer', '--model', 'm.onnx', '--batch-size', '32', '--backend', 'cpu', '--json'];
    const parts = ['--data', 'one.csv', 'two.csv', '--data', 'three.csv'];
    const whole = json((await run(...settings, '--data', 'whole.csv', '--out', 'whole-e.arrow')).out);
    const split = json((await run(...settings, ...parts, '--out', 'split-e.arrow')).out);
    expect(split).toMatchObject({ samples: 100, batches: 4, data: ['one.csv', 'two.csv', 'three.csv'] });
    expect(whole).toMatchObject({ samples: 100, batches: 4, data: 'whole.csv' });
    expect(await readFile(join(folder, 'split-e.arrow'))).toEqual(
      await readFile(join(folder, 'whole-e.arrow')),
    );
  });

  test('the CPU engine has fused products on every supported Node, quietly', async () => {
    const { out, err } = await run('infer', ...input, '--out', 'e.csv', '--json');
    expect(json(out).backendNotes).toContainEqual(expect.stringMatching(/SIMD with fused products/));
    expect(err).not.toMatch(/flag/);
  });
});

describe('uncertainty', () => {
  const columns = ['corr_se', 'sign_stability', 'p_empirical'];

  test('the example with all of it: what the library gives', async () => {
    const [model, data] = [join(example, 'model.onnx'), join(example, 'data.npz')];
    const asked = ['--jackknife', '5', '--permutations', '9', '--seed', '4', '--backend', 'cpu', '--json'];
    const { status, out, err } = await run(
      'infer',
      '--model',
      model,
      '--data',
      data,
      ...asked,
      '--out',
      'u.csv',
    );
    expect([status, err]).toEqual([0, expect.stringContaining('uncertainty: scoring 14/14\n')]);
    expect(json(out)).toMatchObject({ uncertainty: { groups: 5, permutations: 9, seed: 4 } });
    const table = await decodeTable(await readFile(join(folder, 'u.csv')), 'csv', 'u.csv');
    const library = await builtLibrary();
    await using loaded = await library.GsnnModel.load(model);
    const uncertainty = { groups: 5, permutations: 9, seed: 4 };
    await using inferer = await library.MagnitudeEdgeInferer.create(loaded, { backend: 'cpu', uncertainty });
    await inferer.fit(library.batches(data, loaded, { batchSize: 128 }));
    const expected = await inferer.evaluate();
    for (const name of columns) {
      const found = [...table.getChild(name)!] as number[];
      expect(found).toEqual([...expected.getChild(name)!]);
    }
  });

  test('either half asks for it; a seed alone asks for nothing', async () => {
    const { out } = await run('infer', ...input, '--permutations', '3', '--out', 'u.arrow');
    expect(out).toMatch(/errors +by 10 groups of samples; empirical p by 3 shuffles, seed 0/);
    await run('infer', ...input, '--jackknife', '4', '--out', 'u.arrow');
    const names = tableFromIPC(await readFile(join(folder, 'u.arrow'))).schema.fields.map(({ name }) => name);
    expect(names.slice(-3)).toEqual(['q_value', 'corr_se', 'sign_stability']);
    const { status, err } = await run('infer', ...input, '--seed', '1', '--out', 'u.arrow');
    expect([status, err]).toEqual([2, 'magnitude-edge infer: --seed needs --permutations; see --help\n']);
  });
});

describe('evaluate', () => {
  test('statistics alone give the rows of infer, to the bit; several files those of their samples', async () => {
    const scoring = ['--score', 'partial', '--layer-agg', 'max', '--ridge', '0.1', '--top', '9'];
    await run('infer', ...input, ...scoring, '--out', 'from-model.csv', '--stats-out', 'a.arrow');
    const { status, out } = await run(
      'evaluate',
      '--stats',
      'a.arrow',
      ...scoring,
      '--out',
      'from-stats.csv',
      '--backend',
      'cpu',
      '--json',
    );
    expect(status).toBe(0);
    expect(json(out)).toMatchObject({ command: 'evaluate', samples: 107, functions: 7, pairs: 2, rows: 9 });
    const text = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
    expect(await text('from-stats.csv')).toBe(await text('from-model.csv'));

    await writeFile(join(folder, 'b.arrow'), await readFile(join(folder, 'a.arrow')));
    await run('merge', 'a.arrow', 'b.arrow', '--out', 'ab.arrow');
    await run('evaluate', '--stats', 'ab.arrow', '--out', 'merged.csv', '--backend', 'cpu');
    const several = await run(
      'evaluate',
      '--stats',
      'a.arrow',
      'b.arrow',
      '--out',
      'several.csv',
      '--backend',
      'cpu',
    );
    expect(several.out).toMatch(/a\.arrow, b\.arrow: 214 samples/);
    expect(await text('several.csv')).toBe(await text('merged.csv'));
  });
});

describe('merged statistics', () => {
  test('channel values that not all files have are left out, and which file lacks them is told', async () => {
    const withChannels = ['--score', 'channel', '--stats-out'];
    await run('infer', ...input, ...withChannels, 'c.arrow', '--out', 'c-edges.arrow');
    await run('infer', ...input, '--stats-out', 'n.arrow', '--out', 'n-edges.arrow');
    await run('infer', ...input, ...withChannels, 'c2.arrow', '--out', 'c-edges.arrow');
    const merged = async (...files: string[]) => {
      const { status, out, err } = await run('merge', ...files, '--out', 'all.arrow', '--json');
      const { channels, withoutChannels } = json(out);
      return { status, err, channels, withoutChannels };
    };
    expect(await merged('c.arrow', 'c2.arrow')).toEqual({
      ...{ status: 0, err: '', channels: true, withoutChannels: [] },
    });
    expect(
      (await run('evaluate', '--stats', 'all.arrow', '--score', 'channel', '--out', 'x.csv')).status,
    ).toBe(0);
    for (const files of [
      ['c.arrow', 'n.arrow'],
      ['n.arrow', 'c.arrow'],
    ]) {
      expect(await merged(...files)).toEqual({
        status: 0,
        err: 'all.arrow holds no channel values: n.arrow has none, so channel and Spearman scores of the merged samples are not possible\n',
        channels: false,
        withoutChannels: ['n.arrow'],
      });
    }
    expect(await merged('n.arrow')).toMatchObject({ err: '', channels: false, withoutChannels: ['n.arrow'] });
  });

  test('count the samples of both', async () => {
    await run('infer', ...input, '--out', 'whole.arrow', '--stats-out', 'a.arrow');
    await writeFile(join(folder, 'b.arrow'), await readFile(join(folder, 'a.arrow')));
    const { status, out } = await run('merge', 'a.arrow', 'b.arrow', '--out', 'ab.arrow', '--json');
    expect(status).toBe(0);
    expect(json(out)).toMatchObject({ samples: 214, nodes: 7, pairs: 2 });
    const merged = tableFromIPC(await readFile(join(folder, 'ab.arrow')));
    expect(merged.schema.metadata.get('n')).toBe('214');
  });

  test('of another graph are refused', async () => {
    await writeFile(
      join(folder, 'other.onnx'),
      withProfile('layer-elu', (profile) => {
        (profile.edgeIndex as Record<string, unknown>)['function,function'] = [[0], [1]];
      }),
    );
    await run('infer', ...input, '--model', 'other.onnx', '--out', 'o.arrow', '--stats-out', 'other.arrow');
    await run('infer', ...input, '--out', 'o.arrow', '--stats-out', 'a.arrow');
    const { status, err } = await run('merge', 'a.arrow', 'other.arrow', '--out', 'no.arrow');
    expect([status, err]).toEqual([
      1,
      expect.stringMatching(/^magnitude-edge merge: other\.arrow has other .*\n$/),
    ]);
    expect(await readdir(folder)).not.toContain('no.arrow');
  });
});

describe('the example', () => {
  test('comes out as the float64 oracle has it', async () => {
    const expected = json(await readFile(join(example, 'expected.json'), 'utf8'));
    for (const score of ['corr', 'partial']) {
      const data = ['--model', join(example, 'model.onnx'), '--data', join(example, 'data.npz')];
      const { status } = await run('infer', ...data, '--score', score, '--out', 'example.arrow');
      expect(status).toBe(0);
      const positives = join(example, 'heldout.csv');
      const ranking = json(
        (await run('rank', '--edges', 'example.arrow', '--positives', positives, '--json')).out,
      );
      const { mrr, n_positives } = expected[score] as Record<string, number>;
      expect(ranking.n_positives).toBe(n_positives);
      // Ranks are whole numbers: a difference would be a changed order, not rounding.
      expect(ranking.mrr).toBeCloseTo(mrr!, 12);
      const { top } = expected[score] as { top: [string, string, number][] };
      const table = tableFromIPC(await readFile(join(folder, 'example.arrow')));
      top.forEach(([source, target, corr], row) => {
        expect(table.getChild('src_func')!.get(row)).toBe(source);
        expect(table.getChild('dst_func')!.get(row)).toBe(target);
        expect(table.getChild('corr')!.get(row)).toBeCloseTo(corr, 5);
      });
    }
  });
});

describe('rank', () => {
  test('for people, with the detail in a file', async () => {
    await run('infer', ...input, '--out', 'edges.csv');
    await writeFile(join(folder, 'p.csv'), 'src,dst\ngene_1,gene_6\ngene_0,nobody\n');
    const { status, out, err } = await run(
      'rank',
      '--edges',
      'edges.csv',
      '--positives',
      'p.csv',
      '--top-k',
      '1,42',
      '--out',
      'r.csv',
    );
    expect(status).toBe(0);
    expect(out).toMatch(/n_positives +2\nunknown +1\nunscored +0\nmrr +0\.\d+\ntop@1 .*\ntop@42 +0\.5/);
    expect(err).toBe(
      'p.csv: 1 of 2 positives name nodes that the table does not have and count as missed: gene_0 -> nobody\n',
    );
    expect(await readFile(join(folder, 'r.csv'), 'utf8')).toMatch(/gene_0,nobody,,,0,0,false,false/);
  });

  test.each([
    ['no positives', 'src,dst\n', /p\.csv holds no pairs: two columns, src and dst, were expected/],
    [
      'names of other nodes',
      'a,b\nx,y\n',
      /None of the 2 positive edges joins two nodes of the table: the first is a -> b/,
    ],
    ['a gap', 'src,dst\ngene_1,\n', /p\.csv, line 2 lacks a source or a target/],
  ])('%s', async (_, text, sentence) => {
    await run('infer', ...input, '--out', 'edges.csv');
    await writeFile(join(folder, 'p.csv'), text);
    const { status, err } = await run('rank', '--edges', 'edges.csv', '--positives', 'p.csv');
    expect([status, err]).toEqual([1, expect.stringMatching(sentence)]);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});

test('train-graph writes a model that can be read again, with the gradients named', async () => {
  const { status, out } = await run('train-graph', 'm.onnx', '--out', 't.onnx', '--loss', 'l1', '--json');
  expect(status).toBe(0);
  const { gradients, outputs, loss } = json(out) as {
    gradients: Record<string, string>;
    outputs: string[];
    loss: string;
  };
  const names = decodeModel(await readFile(join(folder, 't.onnx'))).graph.outputs.map(({ name }) => name);
  expect(names).toEqual(outputs);
  expect(names).toContain(loss);
  expect(Object.keys(gradients)).toHaveLength(6);
  for (const gradient of Object.values(gradients)) expect(names).toContain(gradient);
});

describe('refused input: exit 1, one clear line, nothing written', () => {
  test.each<[string, string[], RegExp]>([
    [
      'a model that is not there',
      ['--model', 'none.onnx'],
      /^magnitude-edge infer: none\.onnx could not be read: there is no such file\.$/,
    ],
    [
      'data that are not there',
      ['--data', 'none.npz'],
      /none\.npz could not be read: there is no such file\.$/,
    ],
    ['a model that is none', ['--model', 'd.npz'], /d\.npz: .*not an ONNX model/],
    ['post-norm values behind a layer norm', ['--post-norm'], /this one has norm 'layer'/],
    [
      'NaN in the data',
      ['--data', 'nan.csv'],
      /^magnitude-edge infer: Batch 0 holds NaN for input node 'in_2' in sample 1/,
    ],
    [
      'text in the data',
      ['--data', 'text.csv'],
      /text\.csv, line 3, column 'out_1' is 'x', a number was expected/,
    ],
    ['missing columns', ['--data', 'short.csv'], /short\.csv has no column for output node 'out_2'/],
    ['too few samples', ['--data', 'few.csv'], /at least 3 samples, but 2 have been accumulated/],
    [
      'a folder that is not there',
      ['--out', 'nowhere/e.csv'],
      /nowhere\/e\.csv cannot be written: the folder nowhere does not exist/,
    ],
    ['WebGPU for the model', ['--execution-provider', 'webgpu'], /needs a browser/],
  ])('%s', async (_, options, sentence) => {
    await Promise.all([
      writeFile(join(folder, 'nan.csv'), `${header}1,2,3,4,5,6,7\n1,2,nan,4,5,6,7\n`),
      writeFile(join(folder, 'text.csv'), `${header}1,2,3,4,5,6,7\n1,2,3,4,5,x,7\n`),
      writeFile(join(folder, 'short.csv'), 'in_0,in_1,in_2,in_3,out_0,out_1\n1,2,3,4,5,6\n'),
      writeFile(join(folder, 'few.csv'), `${header}1,2,3,4,5,6,7\n1,2,3,4,5,6,8\n`),
      mkdir(join(folder, 'refused'), { recursive: true }),
    ]);
    const { status, out, err } = await run(
      'infer',
      // Further data would be read after these.
      ...(options[0] === '--data' ? ['--model', 'm.onnx', '--backend', 'cpu'] : input),
      '--out',
      'refused/e.csv',
      '--stats-out',
      'refused/s.arrow',
      ...options,
    );
    expect(status).toBe(1);
    expect(out).toBe('');
    expect(err.trim().split('\n').at(-1)).toMatch(sentence);
    expect(await readdir(join(folder, 'refused'))).toEqual([]);
  });

  test('a file that was there stays as it was', async () => {
    await writeFile(join(folder, 'kept.csv'), 'kept');
    const { status } = await run('infer', '--model', 'm.onnx', '--data', 'none.npz', '--out', 'kept.csv');
    expect(status).toBe(1);
    expect(await readFile(join(folder, 'kept.csv'), 'utf8')).toBe('kept');
  });
});

describe('wrong usage: exit 2 and what is wrong', () => {
  test.each<[string[], RegExp]>([
    [[], /magnitude-edge infer/],
    [['predict'], /no command 'predict'; see --help/],
    [['ifner', '--out', 'e.csv'], /no command 'ifner'; did you mean 'infer'\?/],
    [['infer', '--modle', 'm'], /Unknown option '--modle'; did you mean '--model'\?$/m],
    [['infer'], /--out is missing/],
    [
      ['infer', '--out', 'e.txt', '--model', 'm', '--data', 'd'],
      /'e\.txt' must end in \.arrow, \.feather, \.csv, \.tsv or \.parquet/,
    ],
    [
      ['infer', ...input, '--out', 'e.csv', '--score', 'spearman'],
      /--score is 'spearman', one of corr, partial, regression, channel was expected/,
    ],
    [['infer', ...input, '--out', 'e.csv', '--ridge', '-1'], /ridge/],
    [['infer', ...input, '--out', 'e.csv', '--batch-size', '0'], /--batch-size is '0'/],
    [['infer', ...input, '--out', 'e.csv', '--batch-size', 'Auto'], /--batch-size is 'Auto'/],
    [['infer', ...input, '--out', 'e.csv', '--loss-batch-size', 'auto'], /--loss-batch-size is 'auto'/],
    [['infer', ...input, '--out', 'e.csv', '--top', 'x'], /--top is 'x'/],
    [['infer', ...input, '--out', 'e.csv', '--max-q', '2'], /--max-q is '2', a number between 0 and 1/],
    [['infer', ...input, '--out', 'e.csv', '--colour'], /Unknown option '--colour'/],
    [['merge', '--out', 's.arrow'], /no statistics files were given/],
    [['merge', 'a.arrow', './a.arrow', '--out', 's.arrow'], /a\.arrow was given twice/],
    [['rank', '--edges', 'e.csv'], /--positives is missing/],
    [['rank', '--edges', 'e.csv', '--positives', 'p.csv', '--top-k', '0'], /--top-k is '0'/],
    [['train-graph', '--out', 't.onnx'], /no model was given/],
  ])('%j', async (args, sentence) => {
    const { status, out, err } = await run(...args);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(sentence);
  });
});

test('help and version', async () => {
  expect(await run('--version')).toEqual({ status: 0, out: `${version}\n`, err: '' });
  expect((await run('--help')).out).toMatch(/magnitude-edge merge/);
  expect((await run('help')).out).toBe((await run('--help')).out);
  for (const name of ['infer', 'evaluate', 'select', 'rank', 'merge', 'train-graph']) {
    const { status, out } = await run(name, '--help');
    expect([status, out]).toEqual([0, expect.stringContaining(`magnitude-edge ${name}`)]);
    expect((await run('help', name)).out).toBe(out);
  }
});

test('docs/command.md is what --help says', async () => {
  const names = ['infer', 'evaluate', 'select', 'rank', 'merge', 'train-graph', 'import-map', 'serve'];
  const helps = await Promise.all(names.map((name) => run(name, '--help')));
  const sections = names.map((name, at) => `## ${name}\n\n\`\`\`\n${helps[at]!.out}\`\`\``);
  const page = [
    '# The command',
    'What `magnitude-edge COMMAND --help` prints (a test keeps this page so).',
    ...sections,
  ];
  await expect(`${page.join('\n\n')}\n`).toMatchFileSnapshot('../../docs/command.md');
});

test('what the guide says of Node runs as it stands, with or without an adapter', async () => {
  const guide = await readFile(new URL('../../docs/guide.md', import.meta.url), 'utf8');
  const [, snippet] = /In Node the library uses a `GPUDevice`[^`]*`webgpu`[^`]*```js\n([^`]*)```/.exec(
    guide,
  )!;
  const code = `import { GsnnModel, MagnitudeEdgeInferer } from 'magnitude-edge';\n${snippet!.replace(
    "'model.onnx'",
    JSON.stringify(join(example, 'model.onnx')),
  )}\nprocess.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
  });
  expect(stdout).toMatch(/^(cpu|webgpu) \[/);
});
