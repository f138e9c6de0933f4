import { joinBytes } from '../bytes/join-bytes.ts';
import {
  definitionLevels,
  encodeColumn,
  PLAIN,
  presentRows,
  RLE,
  type Encoded,
  type WrittenColumn,
} from './parquet-pages.ts';
import { binary, bool, int32, int64, int8, list, struct, type ThriftValue } from './thrift.ts';

export interface WrittenField {
  readonly name: string;
  readonly type: 'double' | 'float' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'boolean' | 'string';
  /** Whether rows may be null */
  readonly nullable: boolean;
}

// The numbers of Parquet's enumerations (parquet.thrift).
const PHYSICAL = {
  boolean: 0,
  int32: 1,
  uint32: 1,
  int64: 2,
  uint64: 2,
  float: 4,
  double: 5,
  string: 6,
} as const;
const [REQUIRED, OPTIONAL] = [0, 1];
const UTF8 = 0;
const [UNCOMPRESSED, SNAPPY] = [0, 1];
const [DICTIONARY_PAGE, DATA_PAGE_V2] = [2, 3];
const MAGIC = new TextEncoder().encode('PAR1');

/** Columns of `rows` rows, at most 2^20, in field order. */
export interface RowGroup {
  readonly columns: readonly WrittenColumn[];
  readonly rows: number;
}

/** A row group's bytes, and what the footer says about them; independent of its position in the file. */
export interface EncodedRowGroup {
  readonly rows: number;
  /** All columns end to end in one array: writing them separately takes longer than copying them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly chunks: readonly EncodedChunk[];
}

/** One column: a data page, possibly preceded by a dictionary page. */
interface EncodedChunk {
  /** Bytes of both pages */
  readonly bytes: number;
  readonly unpackedBytes: number;
  /** Bytes of the dictionary page; 0 without one */
  readonly dictionaryBytes: number;
  readonly encodings: readonly number[];
  readonly codec: number;
  readonly nulls: number;
  readonly bounds: Encoded['bounds'];
}

/** The expensive part of writing a file; can run on any thread. */
export function encodeRowGroup(
  fields: readonly WrittenField[],
  { columns, rows }: RowGroup,
): EncodedRowGroup {
  const encoded = columns.map((column, c) => encodeChunk(fields[c]!, column, rows));
  const bytes = joinBytes(encoded.flatMap(({ pieces }) => pieces));
  return { rows, bytes, chunks: encoded.map(({ chunk }) => chunk) };
}

/**
 * Writes a Parquet file (format 2.6, data pages of version 2), one row group at a time. Strings and integers of a small
 * range are dictionary-encoded, other values plain; repetitive floating-point numbers are compressed with Snappy. Only
 * floating-point columns have bounds, by which readers can skip row groups.
 */
export class ParquetFileWriter {
  readonly #fields: readonly WrittenField[];
  readonly #groups: ThriftValue[] = [];
  /** Bytes of the file so far */
  #size = 0;
  #rows = 0;

  constructor(fields: readonly WrittenField[]) {
    this.#fields = fields;
  }

  /** The bytes that a row group adds to the file, in pieces. */
  add({ chunks, bytes, rows }: EncodedRowGroup): Uint8Array[] {
    const before = this.#size === 0 ? [MAGIC] : [];
    const start = this.#size + lengthOf(before);
    let at = start;
    const columns = chunks.map((chunk, c) => {
      const written = columnChunk(this.#fields[c]!, chunk, rows, at);
      at += chunk.bytes;
      return written;
    });
    this.#groups.push(
      struct({
        1: list(columns),
        2: int64(chunks.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0)),
        3: int64(rows),
        5: int64(start),
        6: int64(at - start),
      }),
    );
    this.#rows += rows;
    this.#size = at;
    return [...before, bytes];
  }

  /**
   * The bytes that end the file. At least one row group must have been added.
   * @param metadata key-value pairs of the file
   */
  end(metadata: Iterable<readonly [string, string]>, createdBy: string): Uint8Array[] {
    const pairs = Array.from(metadata, ([key, value]) => struct({ 1: binary(key), 2: binary(value) }));
    const root = struct({ 4: binary('root'), 5: int32(this.#fields.length) });
    const footer = struct({
      1: int32(2),
      2: list([root, ...this.#fields.map(schemaElement)]),
      3: int64(this.#rows),
      4: list(this.#groups),
      5: pairs.length === 0 ? undefined : list(pairs),
      6: binary(createdBy),
      // Bounds use the types' own order; without this field, readers must ignore them.
      7: list(this.#fields.map(() => struct({ 1: struct({}) }))),
    });
    const length = new Uint8Array(Uint32Array.of(footer.bytes.length).buffer);
    return [Uint8Array.from(footer.bytes), length, MAGIC];
  }
}

function schemaElement({ name, type, nullable }: WrittenField): ThriftValue {
  const unsigned = type === 'uint32' ? 32 : type === 'uint64' ? 64 : undefined;
  const logical =
    type === 'string'
      ? struct({ 1: struct({}) })
      : unsigned && struct({ 10: struct({ 1: int8(unsigned), 2: bool(false) }) });
  return struct({
    1: int32(PHYSICAL[type]),
    3: int32(nullable ? OPTIONAL : REQUIRED),
    4: binary(name),
    6: type === 'string' ? int32(UTF8) : undefined,
    10: logical,
  });
}

function encodeChunk(
  field: WrittenField,
  column: WrittenColumn,
  rows: number,
): { readonly pieces: readonly Uint8Array[]; readonly chunk: EncodedChunk } {
  const valid = presentRows(column);
  const { encoding, dictionary, bounds, values, packed = values } = encodeColumn(column, valid);
  const levels = field.nullable ? definitionLevels(valid, rows) : new Uint8Array();
  const nulls = rows - (valid?.reduce((sum, flag) => sum + flag, 0) ?? rows);
  const pieces: Uint8Array[] = [];
  if (dictionary !== undefined) {
    const { size, bytes } = dictionary;
    const header = struct({ 1: int32(size), 2: int32(PLAIN) });
    pieces.push(pageHeader(DICTIONARY_PAGE, bytes.length, bytes.length, { 7: header }), bytes);
  }
  const dictionaryBytes = lengthOf(pieces);
  const header = struct({
    1: int32(rows),
    2: int32(nulls),
    3: int32(rows),
    4: int32(encoding),
    5: int32(levels.length),
    6: int32(0),
    7: bool(packed !== values),
  });
  const sizes = [levels.length + values.length, levels.length + packed.length] as const;
  pieces.push(pageHeader(DATA_PAGE_V2, ...sizes, { 8: header }), levels, packed);
  const bytes = lengthOf(pieces);
  const chunk = {
    bytes,
    unpackedBytes: bytes + values.length - packed.length,
    dictionaryBytes,
    encodings: [...(dictionary === undefined ? [] : [PLAIN]), encoding, ...(field.nullable ? [RLE] : [])],
    codec: packed === values ? UNCOMPRESSED : SNAPPY,
    nulls,
    bounds,
  };
  return { pieces, chunk };
}

/** The footer's entry for a column. @param at its offset in the file */
function columnChunk(field: WrittenField, chunk: EncodedChunk, rows: number, at: number): ThriftValue {
  const { dictionaryBytes, nulls, bounds } = chunk;
  const metadata = struct({
    1: int32(PHYSICAL[field.type]),
    2: list(chunk.encodings.map(int32)),
    3: list([binary(field.name)]),
    4: int32(chunk.codec),
    5: int64(rows),
    6: int64(chunk.unpackedBytes),
    7: int64(chunk.bytes),
    9: int64(at + dictionaryBytes),
    11: dictionaryBytes === 0 ? undefined : int64(at),
    12: struct({ 3: int64(nulls), 5: bounds && binary(bounds[1]), 6: bounds && binary(bounds[0]) }),
  });
  return struct({ 2: int64(at), 3: metadata });
}

function pageHeader(
  type: number,
  unpackedBytes: number,
  bytes: number,
  own: Readonly<Record<number, ThriftValue>>,
): Uint8Array {
  const header = struct({ 1: int32(type), 2: int32(unpackedBytes), 3: int32(bytes), ...own });
  return Uint8Array.from(header.bytes);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
