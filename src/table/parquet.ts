import { DataType, Precision, type Schema, type Table, type Vector } from 'apache-arrow';
import { joinBytes } from '../bytes/join-bytes.ts';
import type { WrittenColumn } from '../columns/parquet-pages.ts';
import { ParquetFileWriter, type WrittenField } from '../columns/parquet-writer.ts';
import type { Column } from '../columns/column.ts';
import { rowsOf } from '../columns/column-parts.ts';
import { TableInMemory } from '../columns/table-in-memory.ts';

/** Rows of a group at most, where a table comes whole */
const GROUP_ROWS = 1 << 16;

/**
 * A table as a Parquet file (Snappy where numbers repeat). Names become dictionary-encoded strings; the schema metadata of
 * the table becomes key-value metadata of the file.
 */
export function tableToParquet(table: Table): Uint8Array {
  const file = new ParquetPieces();
  const pieces: Uint8Array[] = [];
  for (let first = 0; first === 0 || first < table.numRows; first += GROUP_ROWS) {
    pieces.push(file.rowGroup(table.slice(first, first + GROUP_ROWS)));
  }
  return joinBytes([...pieces, file.end()]);
}

/** The same file piece by piece, a row group for each table of one schema. */
export class ParquetPieces {
  #schema: Schema | undefined;
  #writer: ParquetFileWriter | undefined;

  /** Whether there has been a row group */
  get begun(): boolean {
    return this.#writer !== undefined;
  }

  /** What the rows of a table add to the file. */
  rowGroup(table: Table): Uint8Array {
    const { schema } = table;
    this.#schema ??= schema;
    const memory = new TableInMemory(table, 'The table');
    const fields = schema.fields.map(({ name, type, nullable }, position): WrittenField => ({
      name,
      type: writtenType(type as DataType, memory.fields[position]!.kind),
      nullable,
    }));
    this.#writer ??= new ParquetFileWriter(fields);
    const columns = fields.map(({ type }, position) => {
      const wide = type === 'int64' || type === 'uint64';
      return wide ? bigIntegers(table.getChildAt(position)!) : written(memory.column(position), type);
    });
    return this.#writer.rowGroup(columns, table.numRows);
  }

  /** What ends the file. There must have been a row group. */
  end(): Uint8Array {
    return this.#writer!.end(this.#schema!.metadata, 'magnitude-edge');
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
      // Integers without a sign by their bits.
      const Numbers = type === 'double' ? Float64Array : type === 'float' ? Float32Array : Int32Array;
      return { kind: 'numbers', values: values instanceof Numbers ? values : Numbers.from(values), valid };
    }
    case 'booleans':
    case 'strings':
      return column;
    default:
      // What is neither of these is not read, and has no values here.
      return { kind: 'strings', codes: new Int32Array(rowsOf(column)).fill(-1), dictionary: [] };
  }
}

function bigIntegers(vector: Vector<DataType>): WrittenColumn {
  const there = Array.from({ length: vector.length }, (_, row): unknown => vector.get(row));
  const valid = Uint8Array.from(there, (value) => (value === null ? 0 : 1));
  const values = BigInt64Array.from(there, (value) => (value ?? 0n) as bigint);
  return { kind: 'numbers', values, valid };
}
