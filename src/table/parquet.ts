import { DataType, Precision, type Table, type Vector } from 'apache-arrow';
import {
  ByteWriter,
  ParquetWriter,
  parquetWriteBuffer,
  schemaFromColumnData,
  type BasicType,
  type ColumnSource,
} from 'hyparquet-writer';
import { columnOf } from './read-columns.ts';

/**
 * A table as a Parquet file (Snappy). Names become dictionary-encoded strings; the schema metadata of the table
 * becomes key-value metadata of the file.
 */
export function tableToParquet(table: Table): Uint8Array {
  const buffer = parquetWriteBuffer({ columnData: columnsOf(table), kvMetadata: metadataOf(table) });
  return new Uint8Array(buffer);
}

/** The same file piece by piece, a row group for each table of one schema. */
export class ParquetPieces {
  readonly #bytes = new ByteWriter();
  #writer: ParquetWriter | undefined;

  /** Whether there has been a row group */
  get begun(): boolean {
    return this.#writer !== undefined;
  }

  /** What the rows of a table add to the file. */
  rowGroup(table: Table): Uint8Array {
    const columnData = columnsOf(table);
    this.#writer ??= new ParquetWriter({
      writer: this.#bytes,
      schema: schemaFromColumnData({ columnData }),
      kvMetadata: metadataOf(table),
    });
    // Synchronous: the writer waits only for compressors and sinks that are not.
    void this.#writer.write({ columnData, rowGroupSize: Math.max(1, table.numRows) });
    return this.#taken();
  }

  /** What ends the file. There must have been a row group. */
  end(): Uint8Array {
    void this.#writer!.finish();
    return this.#taken();
  }

  /** Bytes since the last time; their places in the file go on being counted. */
  #taken(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return bytes;
  }
}

function columnsOf(table: Table): ColumnSource[] {
  return table.schema.fields.map((field) => {
    const vector = columnOf(table, field.name)!;
    return {
      name: field.name,
      data: plainValues(vector) as never,
      type: basicType(field.type as DataType),
      nullable: vector.nullCount > 0,
      ...encodingOf(field.type as DataType),
    };
  });
}

/**
 * Names are a dictionary, scores are not: asking every column whether it should be one costs as much as writing it. Readers
 * skip row groups by bounds of scores; each holds names and numbers of nodes from the first to the last.
 */
function encodingOf(type: DataType): Pick<ColumnSource, 'encoding' | 'statistics'> {
  if (DataType.isFloat(type)) return { encoding: 'PLAIN' };
  return basicType(type) === 'STRING'
    ? { encoding: 'RLE_DICTIONARY', statistics: false }
    : { statistics: false };
}

function metadataOf({ schema }: Table): { key: string; value: string }[] {
  return [...schema.metadata].map(([key, value]) => ({ key, value }));
}

/** What hyparquet-writer takes: a typed array where there is one, else a list. */
function plainValues(vector: Vector<DataType>): ArrayLike<unknown> {
  if (DataType.isFloat(vector.type) && vector.nullCount === 0) return vector.toArray() as Float64Array;
  const memoized = vector.memoize();
  return Array.from({ length: vector.length }, (_, row): unknown => memoized.get(row));
}

function basicType(type: DataType): BasicType {
  if (DataType.isBool(type)) return 'BOOLEAN';
  if (DataType.isInt(type)) return type.bitWidth === 64 ? 'INT64' : 'INT32';
  if (DataType.isFloat(type)) return type.precision === Precision.SINGLE ? 'FLOAT' : 'DOUBLE';
  return 'STRING';
}
