import type { ByteSource } from '../bytes/byte-source.ts';
import { openArrowFrom } from '../columns/arrow.ts';
import { openColumnFile } from './columns.ts';
import type { OpenSamples, Reading } from './reading.ts';

/**
 * Opens Arrow IPC, file or stream format, with a numeric column for each input and output node; read one record batch
 * at a time.
 * @throws MagnitudeEdgeError `invalid-data`, `batch-mismatch` if a node has no column
 */
export async function openArrowSamples(source: ByteSource, reading: Reading): Promise<OpenSamples> {
  return openColumnFile(await openArrowFrom(source, reading.name, reading.budget), reading);
}
