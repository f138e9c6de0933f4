import { gunzipSync } from 'fflate';
import {
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type ColumnData,
  type Compressors,
} from 'hyparquet';
import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import { findNodeColumns, numericColumn, samplesFromColumns } from './columns.ts';
import type { Samples } from './matrix.ts';

/** Beside what hyparquet reads on its own (none, Snappy). */
const compressors: Compressors = {
  GZIP: (input, outputLength) => gunzipSync(input, { out: new Uint8Array(outputLength) }),
};

/**
 * Reads a Parquet file with a numeric column for each input and output node; no other column is read.
 * @param name what messages call the file
 * @throws MagnitudeEdgeError `invalid-data`, `batch-mismatch` when a node has no column
 */
export async function readParquet(bytes: Uint8Array, graph: GsnnGraph, name: string): Promise<Samples> {
  const refuse = (cause: unknown): never => {
    if (cause instanceof MagnitudeEdgeError) throw cause;
    const why = cause instanceof Error ? cause.message.replace(/\.$/, '') : 'it is damaged';
    throw new MagnitudeEdgeError('invalid-data', `${name} could not be read as Parquet: ${why}.`, {
      details: { source: name },
      cause,
    });
  };
  const file = {
    byteLength: bytes.byteLength,
    // A copy of its own: a Node Buffer's slice would be a view of the whole pool.
    slice: (start: number, end?: number) => new Uint8Array(bytes.subarray(start, end)).buffer,
  };
  try {
    const metadata = await parquetMetadataAsync(file);
    const header = parquetSchema(metadata).children.map((child) => child.element.name);
    const positions = findNodeColumns(header, graph, name);
    const rows = Number(metadata.num_rows);
    const columns = new Map(
      [...new Set([...positions.x, ...positions.y])].map((position) => [position, new Float32Array(rows)]),
    );
    const chunks: ColumnData[] = [];
    await parquetRead({
      file,
      metadata,
      compressors,
      columns: [...columns.keys()].map((position) => header[position]!),
      // Only collected here: hyparquet would leave an error of this callback unhandled.
      onChunk: (chunk) => chunks.push(chunk),
    });
    for (const { columnName, columnData, rowStart } of chunks) {
      const values = numericColumn(columnData, columnName, name, rowStart);
      columns.get(header.indexOf(columnName))!.set(values, rowStart);
    }
    return samplesFromColumns(columns, positions, rows);
  } catch (cause) {
    return refuse(cause);
  }
}
