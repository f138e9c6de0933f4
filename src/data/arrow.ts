import { openArrow } from '../columns/arrow.ts';
import { readColumnFile } from './columns.ts';
import type { Samples } from './matrix.ts';
import type { Reading } from './reading.ts';

/**
 * Reads Arrow IPC, file or stream format, with a numeric column for each input and output node.
 * @throws MagnitudeEdgeError `invalid-data`, `batch-mismatch` when a node has no column, `out-of-memory`
 */
export async function readArrow(bytes: Uint8Array, reading: Reading): Promise<Samples> {
  return readColumnFile(openArrow(bytes, reading.name, reading.budget), reading);
}
