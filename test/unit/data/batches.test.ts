import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { tableFromIPC, tableFromArrays } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { type Batch, batches, type GsnnGraph } from '../../../src/index.ts';
import { refusal } from '../../support/refusal.ts';

/** The graph that the files of test/fixtures/data (make.py) are written for. */
const graph: GsnnGraph = {
  nodeNames: { input: ['in_0', 'in_1', 'in_2'], function: ['f'], output: ['out_0', 'out_1'] },
  edgeIndex: { 'input,function': [[], []], 'function,function': [[], []], 'function,output': [[], []] },
};
const model = { graph };
const rows = [0, 1, 2, 3, 4];
const x = rows.map((s) => [0, 1, 2].map((c) => 10 * s + c + 0.5));
const y = rows.map((s) => [0, 1].map((c) => -(10 * s + c)));

async function read(file: string): Promise<Uint8Array> {
  return readFile(new URL(`../../fixtures/data/${file}`, import.meta.url));
}

async function collect(loader: AsyncIterable<Batch>): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of loader) all.push(batch);
  return all;
}

const values = (all: readonly Batch[], key: 'x' | 'y'): number[] =>
  all.flatMap((batch) => Array.from(batch[key] as Float32Array)).map((value) => value + 0);

describe('every format gives the same batches', () => {
  test.each([
    'float64.npz',
    'compressed-float32.npz',
    'fortran-big-endian.npz',
    'integers.npz',
    'table.csv',
    'snappy.parquet',
    'gzip.parquet',
    'plain.parquet',
    'file.arrow',
    'stream.arrow',
  ])('%s', async (file) => {
    const loader = batches(await read(file), model, { batchSize: 2 });
    const all = await collect(loader);
    expect(all.map((batch) => batch.size)).toEqual([2, 2, 1]);
    expect(values(all, 'x')).toEqual(x.flat());
    expect(values(all, 'y')).toEqual(y.flat().map((value) => value + 0));
    expect(loader.length).toBe(3);
    // A second fit goes through the same loader again.
    expect(await collect(loader)).toEqual(all);
  });

  test.each<[string, (csv: string) => string | Uint8Array]>([
    ['tabs', (csv) => csv.replaceAll(',', '\t')],
    ['semicolons and decimal commas', (csv) => csv.replaceAll(',', ';').replaceAll('.', ',')],
    ['a line that says sep=', (csv) => `sep=|\r\n${csv.replaceAll(',', '|')}`],
    ['gzip', (csv) => gzipSync(csv)],
    ['UTF-16', (csv) => Buffer.from(`\ufeff${csv}`, 'utf16le')],
  ])('delimited text: %s', async (_, changed) => {
    const csv = new TextDecoder().decode(await read('table.csv'));
    const source = changed(csv);
    const bytes = typeof source === 'string' ? new TextEncoder().encode(source) : source;
    const all = await collect(batches(bytes, model));
    expect([values(all, 'x'), values(all, 'y')]).toEqual([x.flat(), y.flat().map((value) => value + 0)]);
  });

  test('a URL, a Blob and an ArrayBuffer', async () => {
    const bytes = await read('float64.npz');
    const sources = [
      new URL('../../fixtures/data/float64.npz', import.meta.url),
      'test/fixtures/data/float64.npz',
      new Blob([new Uint8Array(bytes)]),
      new Uint8Array(bytes).buffer,
    ];
    for (const source of sources)
      expect(values(await collect(batches(source, model)), 'x')).toEqual(x.flat());
  });

  test('an Arrow table in memory', async () => {
    const loader = batches(tableFromIPC(await read('file.arrow')), model);
    expect(loader.length).toBe(1);
    expect(values(await collect(loader), 'y')).toEqual(y.flat().map((value) => value + 0));
  });

  test('plain arrays, as rows and row-major', async () => {
    const asRows = batches({ x, y }, model, { batchSize: 4 });
    expect(asRows.length).toBe(2);
    const flat = batches({ x: Float32Array.from(x.flat()), y: Float32Array.from(y.flat()) }, model, {
      batchSize: 4,
    });
    expect(flat.length).toBe(2);
    expect(await collect(asRows)).toEqual(await collect(flat));
  });

  test('128 samples in a batch unless said otherwise', async () => {
    const many = { x: new Float32Array(300 * 3), y: new Float32Array(300 * 2) };
    expect((await collect(batches(many, model))).map((batch) => batch.size)).toEqual([128, 128, 44]);
  });
});

describe('refusals', () => {
  const text = (csv: string): Uint8Array => new TextEncoder().encode(csv);
  const header = 'in_0,in_1,in_2,out_0,out_1';

  test.each<[string, unknown, string, RegExp]>([
    [
      'a cell that is no number',
      text(`${header}\n1,2,3,4,5\n1,2,x3,4,5\n`),
      'invalid-data',
      /line 3, column 'in_2' is 'x3'/,
    ],
    ['an empty cell', text(`${header}\n1,,3,4,5\n`), 'invalid-data', /line 2, column 'in_1' is empty/],
    [
      'an empty target',
      text(`${header}\n1,2,3,NA,5\n`),
      'invalid-data',
      /line 2, column 'out_0' is 'NA', a number was expected \(maskMissingTargets/,
    ],
    [
      'decimal points and commas',
      text(`${header.replaceAll(',', ';')}\n1,5;2;3;4;5\n1.5;2;3;4;5\n`),
      'invalid-data',
      /'1,5' in line 2 and '1\.5' in line 3/,
    ],
    ['hexadecimal', text(`${header}\n1,0x10,3,4,5\n`), 'invalid-data', /'0x10', a number was expected/],
    ['a short row', text(`${header}\n1,2,3,4\n`), 'invalid-data', /line 2: 4 cells, but the header has 5/],
    ['an open quote', text(`${header}\n1,2,3,4,"5\n`), 'invalid-data', /ends inside a quoted cell/],
    ['an empty file', text(''), 'invalid-data', /is empty, a header of node names was expected/],
    [
      'missing columns',
      text('in_0,in_2,out_1\n1,2,3\n'),
      'batch-mismatch',
      /no column for input node 'in_1', output node 'out_0'/,
    ],
    [
      'a repeated column',
      text(`${header},in_0\n1,2,3,4,5,6\n`),
      'invalid-data',
      /more than one column 'in_0'/,
    ],
    ['an unknown format', new Uint8Array([1, 0, 2, 0]), 'invalid-data', /is in an unknown format/],
    ['a damaged archive', new Uint8Array([0x50, 0x4b, 3, 4, 5]), 'invalid-data', /damaged \.npz archive/],
    ['a damaged Arrow file', text('ARROW1 and no more'), 'invalid-data', /Arrow/],
    ['a damaged Parquet file', text('PAR1 and no more'), 'invalid-data', /could not be read as Parquet/],
    [
      'another number of columns',
      { x: new Float32Array(4), y: new Float32Array(2) },
      'batch-mismatch',
      /holds 4 values/,
    ],
    [
      'rows of other sizes',
      {
        x: [
          [1, 2, 3],
          [1, 2],
        ],
        y: [
          [1, 2],
          [1, 2],
        ],
      },
      'batch-mismatch',
      /row 1 holds 2 values, but the model takes 3/,
    ],
    [
      'null among plain numbers',
      { x: [[1, 2, null as unknown as number]], y: [[1, 2]] },
      'batch-mismatch',
      /row 0 holds null at 2, a number was expected/,
    ],
    ['more inputs than targets', { x, y: y.slice(1) }, 'batch-mismatch', /x holds 5 samples, but y holds 4/],
    [
      'an empty entry of an Arrow table',
      tableFromArrays({ in_0: [1, null], in_1: [1, 2], in_2: [1, 2], out_0: [1, 2], out_1: [1, 2] }),
      'invalid-data',
      /column 'in_0', row 2 is empty/,
    ],
    [
      'text in an Arrow table',
      tableFromArrays({ in_0: ['a'], in_1: [1], in_2: [1], out_0: [1], out_1: [1] }),
      'invalid-data',
      /column 'in_0' holds strings, numbers were expected/,
    ],
  ])('%s', async (_, source, code, sentence) => {
    const error = await refusal(collect(batches(source as Uint8Array, model)));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(sentence);
  });

  test('a file that is not there names its address', async () => {
    const error = await refusal(collect(batches('no/such/file.npz', model)));
    expect(error.code).toBe('invalid-data');
    expect(error.message).toMatch(/no\/such\/file\.npz could not be read/);
  });

  test('an archive without y says what it holds', async () => {
    const error = await refusal(collect(batches(await read('no-y.npz'), model, { name: 'no-y.npz' })));
    expect(error.message).toBe("no-y.npz has no array 'y'; it holds x, labels.");
  });

  test('an archive of text', async () => {
    const error = await refusal(collect(batches(await read('strings.npz'), model)));
    expect(error.message).toMatch(/array x: its dtype is '<U1', a real number type was expected/);
  });

  test('an empty cell of a Parquet file', async () => {
    const error = await refusal(collect(batches(await read('empty-cell.parquet'), model)));
    expect(error.message).toMatch(/column 'in_1', row 2 is empty/);
  });

  test('both sizes when an archive has another number of columns', async () => {
    const small = { graph: { ...graph, nodeNames: { ...graph.nodeNames, input: ['in_0', 'in_1'] } } };
    const error = await refusal(collect(batches(await read('float64.npz'), small)));
    expect(error.code).toBe('batch-mismatch');
    expect(error.message).toMatch(/x has 3 columns, but the model has 2 input nodes/);
  });

  test.each([0, -1, 1.5, NaN])('batchSize %s', (batchSize) => {
    expect(() => batches({ x, y }, model, { batchSize })).toThrow(
      /batchSize is .*, a whole number of at least 1/,
    );
  });
});

describe('columns of an archive by name', () => {
  test('x_names and y_names put them in the order of the model, of either dtype', async () => {
    const all = await collect(batches(await read('names.npz'), model));
    expect(values(all, 'x')).toEqual(x.flat());
    expect(values(all, 'y')).toEqual(y.flat().map((value) => value + 0));
  });

  test.each([
    [
      'names-missing.npz',
      'batch-mismatch',
      /x_names lacks 'in_2'; it has 'in-2', which the model does not know/,
    ],
    [
      'names-objects.npz',
      'invalid-data',
      /x_names: its dtype is '\|O', strings .* np\.array\(names, dtype=str\)/,
    ],
    ['names-few.npz', 'batch-mismatch', /y_names holds 1 names, but y has 2 columns/],
  ])('%s', async (file, code, message) => {
    const error = await refusal(collect(batches(await read(file), model, { name: file })));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
  });
});

describe('the memory budget', () => {
  test.each(['float64.npz', 'file.arrow', 'snappy.parquet'])('%s', async (file) => {
    const bytes = await read(file);
    const error = await refusal(collect(batches(bytes, model, { memoryBudget: 9 })));
    expect([error.code, error.message]).toEqual([
      'out-of-memory',
      expect.stringMatching(/\d rows .* the budget is 9\b/),
    ]);
    const loader = batches(bytes, model, { memoryBudget: 1000 });
    for (let pass = 0; pass < 2; pass++) expect(values(await collect(loader), 'x')).toEqual(x.flat());
  });

  test.each([0, -1, NaN])('%s bytes are none', (memoryBudget) => {
    expect(() => batches({ x, y }, model, { memoryBudget })).toThrow(/memoryBudget is .*, a positive number/);
  });
});
