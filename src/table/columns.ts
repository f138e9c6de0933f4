import {
  Bool,
  type Data,
  type DataType,
  Dictionary,
  Field,
  Float32,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Utf8,
  Vector,
} from 'apache-arrow';

/** A named column that wraps typed arrays without copying them. */
export interface Column {
  readonly field: Field;
  readonly data: Data;
}

function column<T extends DataType>(name: string, type: T, data: Data<T>, nullable = false): Column {
  return { field: new Field(name, type, nullable), data: data as Data };
}

/** A float32 or float64 column, by the type of the array. NaN stays NaN; it does not become null. */
export function floatColumn(name: string, values: Float64Array | Float32Array): Column {
  const length = values.length;
  if (values instanceof Float64Array) {
    return column(name, new Float64(), makeData({ type: new Float64(), length, nullCount: 0, data: values }));
  }
  return column(name, new Float32(), makeData({ type: new Float32(), length, nullCount: 0, data: values }));
}

/** A float64 column of nulls only. */
export function nullColumn(name: string, length: number): Column {
  const type = new Float64();
  const nullBitmap = packBits(length, () => false);
  const data = new Float64Array(length);
  return column(name, type, makeData({ type, length, nullCount: length, nullBitmap, data }), true);
}

/** An int32 column; if `present` is given, a row whose entry is false is null. */
export function int32Column(name: string, values: Int32Array, present?: readonly boolean[]): Column {
  const type = new Int32();
  const length = values.length;
  if (present === undefined)
    return column(name, type, makeData({ type, length, nullCount: 0, data: values }));
  const nullBitmap = packBits(length, (row) => present[row]!);
  const nullCount = present.filter((isPresent) => !isPresent).length;
  return column(name, type, makeData({ type, length, nullCount, nullBitmap, data: values }), true);
}

/** A bool column of the values of `at`; null stays null. */
export function boolColumn(name: string, length: number, at: (row: number) => boolean | null): Column {
  const type = new Bool();
  let nullCount = 0;
  const data = packBits(length, (row) => {
    const value = at(row);
    if (value === null) nullCount++;
    return value === true;
  });
  if (nullCount === 0) return column(name, type, makeData({ type, length, nullCount, data }));
  const nullBitmap = packBits(length, (row) => at(row) !== null);
  return column(name, type, makeData({ type, length, nullCount, nullBitmap, data }), true);
}

/** A dictionary<int32, utf8> column. The names are stored once, the codes are indices into them. */
export function nameColumn(name: string, codes: Int32Array, names: Vector<Utf8>): Column {
  const type = new Dictionary(new Utf8(), new Int32());
  return column(
    name,
    type,
    makeData({ type, length: codes.length, nullCount: 0, data: codes, dictionary: names }),
  );
}

/**
 * Names as the dictionary of {@link nameColumn}: concatenated in UTF-8, in one piece. Does not use apache-arrow's
 * Builder, which compiles functions from text: a page whose content security policy forbids that ('unsafe-eval') could
 * have no table.
 */
export function nameVector(names: readonly string[]): Vector<Utf8> {
  const encoder = new TextEncoder();
  const pieces = names.map((name) => encoder.encode(name));
  const valueOffsets = new Int32Array(names.length + 1);
  pieces.forEach((piece, row) => {
    valueOffsets[row + 1] = valueOffsets[row]! + piece.length;
  });
  const data = new Uint8Array(valueOffsets[names.length]!);
  pieces.forEach((piece, row) => {
    data.set(piece, valueOffsets[row]);
  });
  const type = new Utf8();
  const length = names.length;
  return new Vector([makeData({ type, length, nullCount: 0, valueOffsets, data })]);
}

/** A table of one record batch over columns of equal length. */
export function tableOf(columns: readonly Column[], metadata: ReadonlyMap<string, string>): Table {
  const schema = schemaOf(columns, metadata);
  return new Table(schema, [batchOf(columns, schema)]);
}

/** The schema of columns, with metadata. */
export function schemaOf(columns: readonly Column[], metadata: ReadonlyMap<string, string>): Schema {
  return new Schema(
    columns.map(({ field }) => field),
    new Map(metadata),
  );
}

/** A record batch over columns of equal length, which must match the schema. */
export function batchOf(columns: readonly Column[], schema: Schema): RecordBatch {
  return new RecordBatch(
    schema,
    makeData({
      type: new Struct(schema.fields),
      length: columns[0]?.data.length ?? 0,
      nullCount: 0,
      children: columns.map(({ data }) => data),
    }),
  );
}

/** One bit per row, the first row in the lowest bit (Arrow's layout of booleans and of validity). */
export function packBits(length: number, at: (row: number) => boolean): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(length / 8));
  for (let row = 0; row < length; row++) if (at(row)) bytes[row >> 3]! |= 1 << (row & 7);
  return bytes;
}
