import { DataType, makeData, RecordBatch, type Data } from 'apache-arrow';
import { packBits } from './columns.ts';

/** The given rows of a batch of an edge table, in the given order. */
export function takeRows(batch: RecordBatch, rows: Uint32Array): RecordBatch {
  const children = batch.data.children.map((data) => takeData(data, rows));
  const { type } = batch.data;
  return new RecordBatch(batch.schema, makeData({ type, length: rows.length, nullCount: 0, children }));
}

/** For a column of bits, of numbers, or of codes with their dictionary. */
function takeData(data: Data, rows: Uint32Array): Data {
  const length = rows.length;
  const bits = (from: Uint8Array): Uint8Array =>
    packBits(length, (row) => {
      const at = rows[row]! + data.offset;
      return ((from[at >> 3]! >> (at & 7)) & 1) === 1;
    });
  const nulls = data.nullCount > 0 ? { nullBitmap: bits(data.nullBitmap) } : { nullCount: 0 };
  const type = data.type;
  if (DataType.isBool(type))
    return makeData({ type, length, ...nulls, data: bits(data.values as Uint8Array) });
  const from = data.values as Float64Array;
  const values = new (from.constructor as Float64ArrayConstructor)(length);
  for (let row = 0; row < length; row++) values[row] = from[rows[row]!]!;
  const { dictionary } = data;
  return makeData({ type, length, ...nulls, data: values, ...(dictionary ? { dictionary } : {}) } as never);
}
