import { readFile } from 'node:fs/promises';
import type { Table } from 'apache-arrow';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  batches,
  type BatchesOptions,
  decodeTable,
  evaluateTargetRanking,
  GsnnModel,
  MagnitudeEdgeInferer,
  tableFormat,
} from '../../../src/index.ts';
import { decodeStatistics } from '../../../src/table/statistics-file.ts';
import { refusal } from '../../support/refusal.ts';

const folder = new URL('../../fixtures/reading/', import.meta.url);
const read = (file: string): Promise<Uint8Array> => readFile(new URL(file, folder));

/** Scores of pairs of nodes by 'source target'. */
function scoresOf(table: Table): (pair: string) => number {
  const columns = ['src_func', 'dst_func', 'corr'].map((name) => table.getChild(name)!);
  const scores = new Map<string, number>();
  for (let row = 0; row < table.numRows; row++) {
    const [source, target, score] = columns.map((column): unknown => column.get(row));
    scores.set(`${String(source)} ${String(target)}`, score as number);
  }
  return (pair) => scores.get(pair)!;
}

async function infer(
  file: string,
  model: GsnnModel,
  score: 'corr' | 'partial',
  options: BatchesOptions = {},
): Promise<{ samples: number; table: Table }> {
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  const samples = await inferer.fit(batches(await read(file), model, { name: file, ...options }));
  return { samples, table: await inferer.evaluate({ score }) };
}

/** Scores were written down with six decimals (5e-7), and come from float32 gradients (some 1e-7 more). */
function expectScore(found: number, expected: number): void {
  expect(Math.abs(found - expected)).toBeLessThan(1e-6);
}

describe('samples', () => {
  const example = new URL('../../../demo/public/example/model.onnx', import.meta.url);
  let model: GsnnModel;
  let masking: GsnnModel;
  beforeAll(async () => {
    model = await GsnnModel.load(example);
    masking = await GsnnModel.load(example, { maskMissingTargets: true });
  });
  afterAll(async () => {
    await model.release();
    await masking.release();
  });

  test.each([
    ['float16.arrow', 'partial', 'f14 f3', -0.251443],
    ['float16.arrow', 'partial', 'f4 f16', 0.770112],
    ['decimal128.arrow', 'partial', 'f14 f3', -0.251494],
    ['pandas-default.feather', 'corr', 'f4 f16', 0.768257],
    ['zstd.arrow', 'corr', 'f4 f16', 0.768257],
    ['polars-default.parquet', 'corr', 'f4 f16', 0.768257],
    ['float16.npz', 'corr', 'f4 f16', 0.768269],
  ] as const)('%s: %s score of %s', async (file, score, pair, expected) => {
    const { samples, table } = await infer(file, model, score);
    expect(samples).toBe(96);
    expectScore(scoresOf(table)(pair), expected);
    const first = ['src_func', 'dst_func'].map((name) => String(table.getChild(name)!.get(0)));
    expect(first).toEqual(['f4', 'f16']);
  });

  test.each(['npz', 'csv', 'feather', 'parquet'])('a missing target in .%s', async (ending) => {
    const file = `missing-targets.${ending}`;
    const { samples, table } = await infer(file, masking, 'corr');
    expect(samples).toBe(96);
    expectScore(scoresOf(table)('f4 f16'), 0.768257);
    // The option of the loader says what the model does not.
    const own = batches(await read(file), masking, { name: file, maskMissingTargets: false });
    if (ending !== 'npz') {
      const error = await refusal(firstBatch(own));
      expect(error.message).toMatch(/column 'o2'.* is empty.*maskMissingTargets: true/);
      expect(error.details).toMatchObject({ option: 'maskMissingTargets' });
    }
    const refused = await refusal(infer(file, model, 'corr'));
    expect(refused.message).toMatch(/maskMissingTargets: true/);
    expect(refused.details).toMatchObject({ option: 'maskMissingTargets' });
  });

  test.each([
    ['two-bytes-changed.npz', 'invalid-data', /x\.npy does not match its CRC-32/],
    ['crc.npz', 'invalid-data', /does not match its CRC-32/],
    ['zero-columns.npz', 'batch-mismatch', /x has 0 columns/],
    ['declared-4gb.npz', 'invalid-data', /cannot unpack|the archive says/],
    ['damaged-46.arrow', 'invalid-data', /damaged/],
    ['damaged-hang.arrow', 'invalid-data', /damaged/],
  ])('%s is refused', async (file, code, message) => {
    const error = await refusal(firstBatch(batches(await read(file), model, { name: file })));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
  });

  test('arrays that a few bytes unpack to are read within the budget, or refused by their headers', async () => {
    const zeros = new Uint8Array(4 * 6_000_000);
    const array = (rows: number, columns: number, fortran = false): Uint8Array => {
      const order = fortran ? 'True' : 'False';
      const header =
        `{'descr': '<f4', 'fortran_order': ${order}, 'shape': (${rows}, ${columns}), }`.padEnd(117) + '\n';
      const npy = new Uint8Array(128 + 4 * rows * columns);
      npy.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
      npy.set(new TextEncoder().encode(header), 10);
      npy.set(zeros.subarray(0, 4 * rows * columns), 128);
      return npy;
    };
    const [inputs, outputs] = [model.graph.nodeNames.input.length, model.graph.nodeNames.output.length];
    const rows = Math.floor(6_000_000 / inputs);
    const [x, y] = [array(rows, inputs), array(rows, outputs)];
    const apart = zipSync({ 'x.npy': x, 'y.npy': array(1, outputs) });
    expect(apart.length).toBeLessThan(100_000);
    const mismatch = await refusal(firstBatch(batches(apart, model)));
    expect(mismatch.message).toMatch(new RegExp(`x holds ${rows} samples, but y holds 1`));
    let samples = 0;
    for await (const { size } of batches(zipSync({ 'x.npy': x, 'y.npy': y }), model, { memoryBudget: 1e6 }))
      samples += size;
    expect(samples).toBe(rows);
    // Packed columns cannot be read some rows at a time.
    const byColumns = zipSync({ 'x.npy': array(rows, inputs, true), 'y.npy': y });
    const error = await refusal(firstBatch(batches(byColumns, model, { memoryBudget: 1e7 })));
    expect(error.code).toBe('out-of-memory');
    expect(error.message).toMatch(
      /array x of \d+ rows, .* column by column, .* bytes of memory, but the budget is 10000000 \(memoryBudget/,
    );
  });
});

async function firstBatch(loader: AsyncIterable<unknown>): Promise<void> {
  for await (const batch of loader) if (batch) return;
}

describe('edge tables', () => {
  test.each([
    'duckdb-decimal.parquet',
    'uint32.parquet',
    'edges-gzip.parquet',
    'edges-polars-default.parquet',
    'edges-polars.arrow',
  ])('%s', async (file) => {
    const table = await decodeTable(await read(file), tableFormat(file), file);
    const lines = new TextDecoder()
      .decode(await read('heldout.csv'))
      .trim()
      .split(/\r?\n/)
      .slice(1);
    const positives = lines.map((line) => line.split(',') as [string, string]);
    expectScore(evaluateTargetRanking(table, positives).summary.mrr!, 0.587831);
  });

  test.each(['damaged-46.arrow', 'damaged-hang.arrow', 'damaged-stats.arrow', 'damaged-name.parquet'])(
    '%s is refused',
    async (file) => {
      const error = await refusal(decodeTable(await read(file), tableFormat(file), file));
      expect(error.code).toBe('invalid-data');
    },
  );

  test('damaged statistics are refused', async () => {
    const bytes = await read('damaged-stats.arrow');
    expect(() => decodeStatistics(bytes)).toThrow(expect.objectContaining({ code: 'invalid-data' }) as Error);
  });
});

describe('input and output nodes of the same names', () => {
  let model: GsnnModel;
  beforeAll(async () => {
    model = await GsnnModel.load(new URL('shared.onnx', folder));
  });
  afterAll(() => model.release());

  test('one column is never both', async () => {
    const bytes = await read('12-columns.parquet');
    const error = await refusal(firstBatch(batches(bytes, model, { name: '12-columns.parquet' })));
    expect(error.code).toBe('batch-mismatch');
    expect(error.message).toMatch(/'x:in0' for the input and 'y:in0' for the target, or give \.npz/);
  });

  test('columns x:name and y:name, or an archive by position', async () => {
    const loader = batches(await read('shared.npz'), model);
    const { samples, table } = await infer('shared.npz', model, 'corr');
    expect(samples).toBe(96);
    expectScore(scoresOf(table)('f1 f0'), 0.079024);
    const { input, output } = model.graph.nodeNames;
    const lines = [[...output.map((name) => `y:${name}`), ...input.map((name) => `x:${name}`)].join(',')];
    for await (const { x, y, size } of loader) {
      for (let row = 0; row < size; row++) {
        const cells = [
          ...(y as Float32Array).slice(row * output.length, (row + 1) * output.length),
          ...(x as Float32Array).slice(row * input.length, (row + 1) * input.length),
        ];
        lines.push(cells.join(','));
      }
    }
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    await inferer.fit(batches(new TextEncoder().encode(lines.join('\n')), model));
    expectScore(scoresOf(await inferer.evaluate())('f1 f0'), 0.079024);
  });
});
