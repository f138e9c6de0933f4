import type { ByteSource } from '../bytes/byte-source.ts';
import { openParquet } from '../columns/parquet.ts';
import { openColumnFile } from './columns.ts';
import type { OpenSamples, Reading } from './reading.ts';

/**
 * Opens a Parquet file with a numeric column for each input and output node; read one row group at a time, without any
 * other column.
 * @throws MagnitudeEdgeError `invalid-data`, `batch-mismatch` if a node has no column
 */
export async function openParquetSamples(source: ByteSource, reading: Reading): Promise<OpenSamples> {
  return openColumnFile(await openParquet(source, reading.name, reading.budget), reading);
}
