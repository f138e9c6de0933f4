import { readFile } from 'node:fs/promises';
import { tableFromIPC as flechetteFromIPC } from '@uwdata/flechette';
import {
  DateDay,
  Decimal,
  Dictionary,
  Float16,
  Float64,
  Int32,
  makeData,
  makeVector,
  Table,
  tableFromIPC,
  Uint32,
  Vector,
} from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { type Batch, batches, decodeTable, encodeTable, evaluateTargetRanking } from '../../../src/index.ts';
import { TableInMemory } from '../../../src/columns/table-in-memory.ts';
import { refusal } from '../../support/refusal.ts';

const read = (file: string): Promise<Uint8Array> =>
  readFile(new URL(`../../fixtures/${file}`, import.meta.url));

const float16s = makeData({ type: new Float16(), data: Uint16Array.of(0x3c00, 0xc080, 0x7e00) });
const decimals = makeData({
  type: new Decimal(2, 18, 128),
  length: 3,
  nullCount: 1,
  nullBitmap: Uint8Array.of(0b101),
  data: Uint32Array.of(12345, 0, 0, 0, 0, 0, 0, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff),
});
const large = makeVector(Uint32Array.of(0xffffffff, 0, 1));
const coded = makeData({
  type: new Dictionary(new Float64(), new Int32()),
  data: Int32Array.of(1, 0, 1),
  dictionary: makeVector(Float64Array.of(0.5, 0.25)),
});
const dates = makeData({ type: new DateDay(), data: Int32Array.of(1, 2, 3) });
const table = new Table({
  half: new Vector([float16s]),
  decimal: new Vector([decimals]),
  large,
  wide: makeVector(BigInt64Array.of(2n ** 53n + 1n, -1n, 0n)),
  coded: new Vector([coded]),
  day: new Vector([dates]),
});

test('a table in memory is read by its types', () => {
  const memory = new TableInMemory(table, 'the table');
  const values = (position: number): number[] => Array.from(memory.numbers(position).values);
  expect(values(0)).toEqual([1, -2.25, NaN]);
  expect(values(1)).toEqual([123.45, NaN, -0.01]);
  expect(Array.from(memory.numbers(1).valid!)).toEqual([1, 0, 1]);
  expect(values(2)).toEqual([4294967295, 0, 1]);
  expect(values(3)).toEqual([2 ** 53, -1, 0]);
  expect(values(4)).toEqual([0.25, 0.5, 0.25]);
  expect(memory.fields[5]).toMatchObject({ kind: 'other', holds: 'dates' });
  expect(new Uint32().typeId).toBe(2);
});

test.each(['float16.arrow', 'decimal128.arrow'])('%s gives the same batches in memory', async (file) => {
  const bytes = await read(`reading/${file}`);
  const columns = tableFromIPC(bytes).schema.fields.map(({ name }) => name);
  const nodeNames = { input: columns.slice(0, 12), function: [], output: columns.slice(12) };
  const model = { graph: { nodeNames, edgeIndex: {} as never } };
  const collect = async (loader: AsyncIterable<Batch>): Promise<Batch[]> => {
    const all: Batch[] = [];
    for await (const batch of loader) all.push(batch);
    return all;
  };
  expect(await collect(batches(tableFromIPC(bytes), model))).toEqual(await collect(batches(bytes, model)));
});

describe('dates in tables', () => {
  const graph = { nodeNames: { input: ['day'], function: [], output: ['large'] }, edgeIndex: {} as never };

  test('of samples, by name', async () => {
    const first = batches(table, { graph })[Symbol.asyncIterator]().next();
    expect((await refusal(first)).message).toBe("the data, column 'day' holds dates, numbers were expected.");
  });

  test('of edges: refused where they are asked for, and in a column that edge tables live by', async () => {
    const edges = await decodeTable(await read('columns/dated-edges.arrow'), 'arrow', 'dated-edges.arrow');
    expect(Array.from(edges.getChild('corr')!)).toEqual([0.5, -0.25]);
    expect(() => evaluateTargetRanking(edges, [['a', 'b']], { scoreCol: 'when' })).toThrow(
      "The table holds no numbers in its column 'when', but timestamps",
    );
    expect(evaluateTargetRanking(edges, [['a', 'b']]).summary.mrr).toBe(1);
    const bytes = await read('columns/date-corr.parquet');
    const error = await refusal(decodeTable(bytes, 'parquet', 'date-corr.parquet'));
    expect(error.message).toBe("date-corr.parquet, column 'corr' holds dates, numbers were expected.");
  });

  test('a column that was not read is written as empty', async () => {
    const edges = await decodeTable(await read('columns/dated-edges.arrow'), 'arrow', 'dated-edges.arrow');
    for (const format of ['csv', 'arrow', 'parquet'] as const) {
      const back = await decodeTable(encodeTable(edges, format), format, 'edges');
      expect(Array.from(back.getChild('corr')!)).toEqual([0.5, -0.25]);
    }
  });
});

describe('a table of flechette', () => {
  test('is read by its types, runs and decimals too', async () => {
    const expected = JSON.parse(new TextDecoder().decode(await read('columns/expected.json'))) as Record<
      string,
      (number | string | null)[]
    >;
    const memory = new TableInMemory(flechetteFromIPC(await read('columns/plain.arrow')), 'the table');
    const position = (name: string): number => memory.fields.findIndex((field) => field.name === name);
    for (const name of [
      'f16',
      'f16_null',
      'f64_nan',
      'u32',
      'decimal_9_3',
      'decimal32',
      'dictionary_f64',
      'runs_f64',
    ]) {
      const { values, valid } = memory.numbers(position(name));
      const found = Array.from(values, (value, row) => {
        if (valid?.[row] === 0) return null;
        return Number.isNaN(value) ? 'NaN' : value;
      });
      expect(found, name).toEqual(expected[name]);
    }
    const column = memory.column(position('runs_text'));
    if (column.kind !== 'strings') throw new Error(column.kind);
    expect(Array.from(column.codes, (code) => column.dictionary[code])).toEqual(expected.runs_text);
    expect(memory.fields[position('timestamp')]).toMatchObject({ kind: 'other', holds: 'timestamps' });
  });

  test('what the library itself refuses is an error of ours', async () => {
    const memory = new TableInMemory(flechetteFromIPC(await read('columns/plain.arrow')), 'the table');
    const position = memory.fields.findIndex(({ name }) => name === 'i64_large');
    expect(() => memory.column(position)).toThrow(
      /^the table, column 'i64_large' could not be read: BigInt exceeds integer/,
    );
  });
});
