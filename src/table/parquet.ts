import {
  Bool,
  DataType,
  Float32,
  Float64,
  Int32,
  Precision,
  Table,
  Utf8,
  vectorFromArray,
  type Vector,
} from 'apache-arrow';
import { parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet';
import {
  ByteWriter,
  ParquetWriter,
  parquetWriteBuffer,
  schemaFromColumnData,
  type BasicType,
  type ColumnSource,
} from 'hyparquet-writer';
import { MagnitudeEdgeError } from '../errors.ts';
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
    };
  });
}

function metadataOf({ schema }: Table): { key: string; value: string }[] {
  return [...schema.metadata].map(([key, value]) => ({ key, value }));
}

/**
 * Reads a Parquet file of plain columns (numbers, booleans, strings), uncompressed or Snappy.
 *
 * @param name what messages call the file
 * @throws `invalid-data` for a file that cannot be read as that
 */
export async function parquetToTable(bytes: Uint8Array, name: string): Promise<Table> {
  try {
    const file = {
      byteLength: bytes.byteLength,
      // A copy of its own: a Node Buffer's slice would be a view of the whole pool.
      slice: (start: number, end?: number) => new Uint8Array(bytes.subarray(start, end)).buffer,
    };
    const metadata = await parquetMetadataAsync(file);
    const columns = new Map(
      parquetSchema(metadata).children.map(({ element }) => [
        element.name,
        { type: arrowType(element.type), values: new Array<unknown>(Number(metadata.num_rows)) },
      ]),
    );
    await parquetRead({
      file,
      metadata,
      onChunk: ({ columnName, columnData, rowStart }) => {
        const { values } = columns.get(columnName)!;
        for (let k = 0; k < columnData.length; k++) {
          const value: unknown = columnData[k];
          values[rowStart + k] = typeof value === 'bigint' ? Number(value) : value;
        }
      },
    });
    const vectors: Record<string, Vector> = {};
    for (const [column, { type, values }] of columns) vectors[column] = vectorFromArray(values, type);
    const table = new Table(vectors);
    for (const { key, value } of metadata.key_value_metadata ?? [])
      table.schema.metadata.set(key, value ?? '');
    return table;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/\.$/, '') : 'it is damaged';
    throw new MagnitudeEdgeError('invalid-data', `${name} could not be read as Parquet: ${why}.`, {
      details: { source: name },
      cause,
    });
  }
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

function arrowType(physical: string | undefined): DataType {
  switch (physical) {
    case 'BOOLEAN':
      return new Bool();
    case 'INT32':
      return new Int32();
    case 'FLOAT':
      return new Float32();
    case 'INT64':
    case 'DOUBLE':
      return new Float64();
    default:
      return new Utf8();
  }
}
