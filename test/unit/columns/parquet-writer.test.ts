import {
  Bool,
  Dictionary,
  Field,
  Float32,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Uint32,
  Utf8,
  vectorFromArray,
  type DataType,
} from 'apache-arrow';
import { parquetMetadata, parquetReadObjects, snappyUncompress } from 'hyparquet';
import { expect, test } from 'vitest';
import { packWords } from '../../../src/columns/snappy-words.ts';
import { tableToParquet } from '../../../src/table/parquet.ts';

/** Numbers below 1 that repeat after 2^32 (Numerical Recipes' generator). */
function random(seed = 1): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

const next = random();
const repeating: Readonly<Record<string, Float64Array | Float32Array>> = {
  'one value': new Float64Array(70_000).fill(0.1),
  'values of which a fifth is NaN': Float64Array.from({ length: 5000 }, () => (next() < 0.2 ? NaN : next())),
  'a run farther back than a copy reaches': Float64Array.from({ length: 30_000 }, (_, k) =>
    k % 10_000 < 100 ? 7 : k,
  ),
  'halves that repeat alone': new Float64Array(
    Uint32Array.from({ length: 4000 }, (_, k) => (k % 2 === 0 ? 5 : k % 300)).buffer,
  ),
  float32: Float32Array.from({ length: 5001 }, () => Math.floor(next() * 50)),
};

test.each(Object.entries(repeating))('%s comes back from its Snappy block', (_, values) => {
  const packed = packWords(values)!;
  expect(packed.length).toBeLessThan(values.byteLength);
  const unpacked = new Uint8Array(values.byteLength);
  snappyUncompress(packed, unpacked);
  expect(Buffer.compare(unpacked, new Uint8Array(values.buffer))).toBe(0);
});

test('of many numbers a sample tells whether they repeat', () => {
  const many = 70_000;
  const filled = (at: (k: number) => number) => Float64Array.from({ length: many }, (_, k) => at(k));
  const numbers = filled(next);
  expect(packWords(filled((k) => numbers[k >> 1]!))).toBeDefined();
  expect(packWords(filled((k) => (k % 5 === 0 ? NaN : numbers[k]!)))).toBeDefined();
  expect(packWords(filled((k) => (k < many / 2 ? 1 : numbers[k]!)))).toBeDefined();
  expect(packWords(filled((k) => (k % 1000 === 0 ? 1 : numbers[k]!)))).toBeUndefined();
});

test('what does not repeat, or is little, is not packed', () => {
  expect(packWords(Float64Array.from({ length: 20_000 }, next))).toBeUndefined();
  expect(packWords(new Float64Array(7))).toBeUndefined();
  expect(packWords(new Float32Array())).toBeUndefined();
});

/** A row of every type, now and then without a value. */
const rowOf = (k: number) => ({
  name: k % 7 === 3 ? null : `node ${k % 300}é`,
  text: `row ${k}`,
  small: k % 5 === 0 ? null : (k % 900) - 450,
  wide: k * 30_011 - 2 ** 31,
  unsigned: 2 ** 32 - 1 - k,
  large: BigInt(k) * 2n ** 40n - 5n,
  score: k % 11 === 0 ? NaN : Math.sin(k),
  single: k % 3 === 0 ? null : Math.fround(k / 7),
  flag: k % 2 === 0,
  perhaps: k % 4 === 1 ? null : k % 3 === 0,
  nothing: null,
});

type Row = ReturnType<typeof rowOf>;

const types: Readonly<Record<keyof Row, DataType>> = {
  name: new Dictionary(new Utf8(), new Int32()),
  text: new Utf8(),
  small: new Int32(),
  wide: new Int32(),
  unsigned: new Uint32(),
  large: new Int64(),
  score: new Float64(),
  single: new Float32(),
  flag: new Bool(),
  perhaps: new Bool(),
  nothing: new Float64(),
};

/** @param parts rows of each record batch */
function tableOfRows(...parts: number[]): { table: Table; rows: Row[] } {
  const keys = Object.keys(types) as (keyof Row)[];
  const total = parts.reduce((sum, part) => sum + part, 0);
  const rows = Array.from({ length: total }, (_, k) => rowOf(k));
  const required: readonly string[] = ['text', 'wide', 'flag'];
  const schema = new Schema(
    keys.map((key) => new Field(key, types[key], !required.includes(key))),
    new Map([['key', 'välue']]),
  );
  let first = 0;
  const batches = parts.map((part) => {
    const own = rows.slice(first, (first += part));
    const children = keys.map(
      (key) => vectorFromArray(own.map((row) => row[key]) as never[], types[key]).data[0]!,
    );
    const type = new Struct(schema.fields);
    return new RecordBatch(schema, makeData({ type, length: part, nullCount: 0, children }));
  });
  return { table: new Table(schema, batches), rows };
}

test.each([[[0]], [[1]], [[9]], [[300, 700]], [[66_000]]])(
  'a table of %j rows is read by another reader as it was',
  async (parts) => {
    const { table, rows } = tableOfRows(...parts);
    const bytes = tableToParquet(table);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    const metadata = parquetMetadata(file);
    expect(metadata.key_value_metadata).toEqual([{ key: 'key', value: 'välue' }]);
    expect(metadata.row_groups.length).toBe(Math.max(1, Math.ceil(rows.length / 65_536)));
    const read = (await parquetReadObjects({ file })) as unknown as Row[];
    expect(read.length).toBe(rows.length);
    // One comparison each for the many rows.
    for (const key of Object.keys(types) as (keyof Row)[])
      expect(
        read.map((row) => row[key]),
        key,
      ).toEqual(rows.map((row) => row[key]));
  },
);

test('bounds are of the values that are numbers; other columns have none', () => {
  const { table } = tableOfRows(100);
  const [group] = parquetMetadata(tableToParquet(table).slice().buffer).row_groups;
  const statistics = group!.columns.map(({ meta_data: data }) => data!.statistics);
  const boundsOf = (key: keyof Row) => statistics[Object.keys(types).indexOf(key)];
  const sines = Array.from({ length: 100 }, (_, k) => k).filter((k) => k % 11 !== 0);
  expect(boundsOf('score')).toMatchObject({
    min_value: Math.min(...sines.map(Math.sin)),
    max_value: Math.max(...sines.map(Math.sin)),
    null_count: 0n,
  });
  expect(boundsOf('single')).toMatchObject({ null_count: 34n });
  expect(boundsOf('nothing')?.min_value).toBeUndefined();
  expect(boundsOf('name')?.min_value).toBeUndefined();
});
