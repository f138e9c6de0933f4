import { DataType, Precision, Table, type Schema, type Utf8, type Vector } from 'apache-arrow';
import { joinBytes } from '../bytes/join-bytes.ts';
import type { WrittenColumn, WrittenStrings } from '../columns/parquet-pages.ts';
import {
  encodeRowGroup,
  ParquetFileWriter,
  type EncodedRowGroup,
  type RowGroup,
  type WrittenField,
} from '../columns/parquet-writer.ts';
import type { Column } from '../columns/column.ts';
import { rowsOf } from '../columns/column-parts.ts';
import { TableInMemory } from '../columns/table-in-memory.ts';
import { nameVector } from './columns.ts';

/** Most rows of a group, for a table that is given whole */
const GROUP_ROWS = 1 << 16;

/**
 * A table as a Parquet file (Snappy where numbers repeat). Names become dictionary-encoded strings; the schema metadata
 * of the table become key-value metadata of the file.
 */
export function tableToParquet(table: Table): Uint8Array {
  const file = new ParquetPieces(table.schema);
  const pieces: Uint8Array[] = [];
  for (let first = 0; first === 0 || first < table.numRows; first += GROUP_ROWS) {
    const group = file.rowGroup(table.slice(first, first + GROUP_ROWS));
    pieces.push(...file.add(encodeRowGroup(file.fields, group)));
  }
  return joinBytes([...pieces, ...file.end()]);
}

/** The same file piece by piece: one row group per table; all tables have one schema. */
export class ParquetPieces {
  readonly fields: readonly WrittenField[];
  readonly #schema: Schema;
  readonly #writer: ParquetFileWriter;

  constructor(schema: Schema) {
    const { fields } = new TableInMemory(new Table(schema), 'The table');
    this.#schema = schema;
    this.fields = schema.fields.map(({ name, type, nullable }, position) => ({
      name,
      type: writtenType(type as DataType, fields[position]!.kind),
      nullable,
    }));
    this.#writer = new ParquetFileWriter(this.fields);
  }

  /** The rows of a table in the form that is written; views of its memory if it has that form already. */
  rowGroup(table: Table): RowGroup {
    const memory = new TableInMemory(table, 'The table');
    const columns = this.fields.map(({ type }, position) => {
      const vector: Vector<DataType> = table.getChildAt(position)!;
      const wide = type === 'int64' || type === 'uint64';
      return wide ? bigIntegers(vector) : (names(vector) ?? written(memory.column(position), type));
    });
    return { columns, rows: table.numRows };
  }

  /** The bytes that a row group adds to the file. */
  add(group: EncodedRowGroup): Uint8Array[] {
    return this.#writer.add(group);
  }

  /** The bytes that end the file. There must have been a row group. */
  end(): Uint8Array[] {
    return this.#writer.end(this.#schema.metadata, 'magnitude-edge');
  }
}

/** @param kind what the column is read as */
function writtenType(type: DataType, kind: Column['kind']): WrittenField['type'] {
  if (kind === 'booleans') return 'boolean';
  if (kind !== 'numbers') return 'string';
  if (DataType.isInt(type)) return `${type.isSigned ? '' : 'u'}int${type.bitWidth === 64 ? 64 : 32}`;
  return DataType.isFloat(type) && type.precision !== Precision.DOUBLE ? 'float' : 'double';
}

function written(column: Column, type: WrittenField['type']): WrittenColumn {
  switch (column.kind) {
    case 'numbers': {
      const { values, valid } = column;
      // Unsigned integers are stored by their bits.
      const Numbers = type === 'double' ? Float64Array : type === 'float' ? Float32Array : Int32Array;
      return { kind: 'numbers', values: values instanceof Numbers ? values : Numbers.from(values), valid };
    }
    case 'booleans':
      return column;
    case 'strings':
      return { kind: 'strings', codes: column.codes, ...endToEnd(column.dictionary) };
    default:
      // Columns of other kinds are not read and have no values here.
      return { kind: 'strings', codes: new Int32Array(rowsOf(column)).fill(-1), ...endToEnd([]) };
  }
}

/** Strings of a contiguous dictionary, without copying; undefined for other columns. */
function names({ type, data, nullCount }: Vector<DataType>): WrittenColumn | undefined {
  const [part] = data;
  if (!DataType.isDictionary(type) || !DataType.isUtf8(type.dictionary) || nullCount > 0) return undefined;
  const [strings, more] = (part?.dictionary as Vector<Utf8> | undefined)?.data ?? [];
  if (part === undefined || data.length > 1 || !(part.values instanceof Int32Array)) return undefined;
  if (strings === undefined || more !== undefined || strings.nullCount > 0) return undefined;
  const { values: bytes, valueOffsets, length } = strings;
  const offsets = valueOffsets.subarray(0, length + 1);
  return { kind: 'strings', codes: part.values.subarray(0, part.length), bytes, offsets };
}

function endToEnd(strings: readonly string[]): Pick<WrittenStrings, 'bytes' | 'offsets'> {
  const { values: bytes, valueOffsets: offsets } = nameVector(strings).data[0]!;
  return { bytes, offsets };
}

function bigIntegers(vector: Vector<DataType>): WrittenColumn {
  const cells = Array.from({ length: vector.length }, (_, row): unknown => vector.get(row));
  const valid = Uint8Array.from(cells, (value) => (value === null ? 0 : 1));
  const values = BigInt64Array.from(cells, (value) => (value ?? 0n) as bigint);
  return { kind: 'numbers', values, valid };
}
