import type { ExportFormat } from '../export/formats.ts';
import type { EdgeTable } from './edge-table.ts';
import { writeTable } from './write-table.ts';

/** Rows written to estimate from; a file with no more rows is written whole. */
const samples = [250, 1000] as const;

/**
 * Estimates the bytes of a file by extrapolating linearly from two samples of rows, spread over all rows: what a format
 * needs besides its rows does not grow with them.
 */
export async function fileSize(
  edges: EdgeTable,
  format: ExportFormat,
  rows: Uint32Array | null,
): Promise<number> {
  const count = rows?.length ?? edges.columns.rows;
  const sized = async (sample: number) => {
    const taken = Uint32Array.from({ length: sample }, (_, k) => {
      const place = Math.floor((k * count) / sample);
      return rows ? rows[place]! : place;
    });
    return (await writeTable(edges, format, taken, '')).length;
  };
  if (count <= samples[1]) return sized(count);
  const [few, some] = [await sized(samples[0]), await sized(samples[1])];
  const each = (some - few) / (samples[1] - samples[0]);
  return Math.round(some + each * (count - samples[1]));
}
