import {
  Bool,
  Dictionary,
  Float64,
  Int32,
  makeData,
  Schema,
  Field,
  RecordBatch,
  Struct,
  Table,
  Utf8,
  Vector,
  type Data,
} from 'apache-arrow';
import { uncertaintyOf, type EdgeColumns } from '../edges/edge-columns.ts';

/** An Arrow edge table of the given rows, in that order, with the metadata of the whole one. */
export function takeRows(columns: EdgeColumns, rows: Uint32Array): Table {
  const names = textVector(columns.names);
  const parts: [name: string, data: Data][] = [
    ['src_func', nameData(columns.src, rows, names)],
    ['dst_func', nameData(columns.dst, rows, names)],
    ['src_idx', intData(columns.src, rows)],
    ['dst_idx', intData(columns.dst, rows)],
    [columns.scoreColumn, floatData(columns.score, rows)],
    ['has_edge', boolData(columns.hasEdge, rows)],
    ...(columns.conditioned ? [['n_cond', intData(columns.conditioned, rows)] satisfies [string, Data]] : []),
    ...columns.pairs.map(({ name, values }): [string, Data] => [name, floatData(values, rows)]),
    ['p_value', floatData(columns.pValue, rows)],
    ['q_value', floatData(columns.qValue, rows)],
    ...uncertaintyOf(columns).map(({ name, values }): [string, Data] => [name, floatData(values, rows)]),
  ];
  const fields = parts.map(([name, data]) => new Field(name, data.type, false));
  const schema = new Schema(fields, new Map(Object.entries(columns.metadata)));
  const struct = makeData({
    type: new Struct(fields),
    length: rows.length,
    children: parts.map(([, data]) => data),
  });
  return new Table(schema, [new RecordBatch(schema, struct)]);
}

const gather = <T extends Int32Array | Float64Array>(
  into: T,
  values: ArrayLike<number>,
  rows: Uint32Array,
): T => {
  rows.forEach((row, at) => {
    into[at] = values[row]!;
  });
  return into;
};

const intData = (values: ArrayLike<number>, rows: Uint32Array) =>
  makeData({ type: new Int32(), data: gather(new Int32Array(rows.length), values, rows) });

const floatData = (values: ArrayLike<number>, rows: Uint32Array) =>
  makeData({ type: new Float64(), data: gather(new Float64Array(rows.length), values, rows) });

/** Built without a builder of Arrow's, which compiles code from text: a strict page policy forbids that. */
function textVector(texts: readonly string[]): Vector<Utf8> {
  const encoder = new TextEncoder();
  const encoded = texts.map((text) => encoder.encode(text));
  const valueOffsets = new Int32Array(texts.length + 1);
  encoded.forEach(({ length }, k) => {
    valueOffsets[k + 1] = valueOffsets[k]! + length;
  });
  const data = new Uint8Array(valueOffsets[texts.length]!);
  encoded.forEach((bytes, k) => {
    data.set(bytes, valueOffsets[k]);
  });
  return new Vector([makeData({ type: new Utf8(), length: texts.length, valueOffsets, data })]);
}

const nameData = (values: ArrayLike<number>, rows: Uint32Array, names: Vector<Utf8>) =>
  makeData({
    type: new Dictionary(new Utf8(), new Int32()),
    data: gather(new Int32Array(rows.length), values, rows),
    dictionary: names,
  });

function boolData(values: Uint8Array, rows: Uint32Array) {
  const bits = new Uint8Array(Math.ceil(rows.length / 8));
  rows.forEach((row, at) => {
    if (values[row]) bits[at >> 3]! |= 1 << (at & 7);
  });
  return makeData({ type: new Bool(), length: rows.length, data: bits });
}
