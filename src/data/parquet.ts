import { openParquet } from '../columns/parquet.ts';
import { readColumnFile } from './columns.ts';
import type { Samples } from './matrix.ts';
import type { Reading } from './reading.ts';

/**
 * Reads a Parquet file with a numeric column for each input and output node; no other column is read.
 * @throws MagnitudeEdgeError `invalid-data`, `batch-mismatch` when a node has no column, `out-of-memory`
 */
export async function readParquet(bytes: Uint8Array, reading: Reading): Promise<Samples> {
  return readColumnFile(openParquet(bytes, reading.name, reading.budget), reading);
}
