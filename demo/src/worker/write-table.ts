import { encodeTable } from 'magnitude-edge';
import { arboretoRows, delimitedRows } from '../export/delimited.ts';
import type { ExportFormat } from '../export/formats.ts';
import { cytoscapeJson, graphml } from '../export/network-files.ts';
import type { EdgeTable } from './edge-table.ts';
import { takeRows } from './take-rows.ts';

/**
 * The table, or the given rows of it in that order, as the bytes of a file; `title` says what it is, if the format has
 * a place for that.
 */
export async function writeTable(
  { table, columns }: EdgeTable,
  format: ExportFormat,
  rows: Uint32Array | null,
  title: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = rows ?? Uint32Array.from({ length: columns.rows }, (_, row) => row);
  switch (format) {
    case 'arrow':
    case 'csv':
    case 'parquet':
      return encodeTable(rows ? takeRows(columns, rows) : table, format) as Uint8Array<ArrayBuffer>;
    case 'tsv':
      return encoded(delimitedRows(columns, all, '\t'));
    case 'arboreto':
      return encoded(arboretoRows(columns, all));
    case 'graphml':
      return encoded(graphml(columns, all));
    case 'cytoscape':
      return encoded(cytoscapeJson(columns, all, title));
  }
}

async function encoded(pieces: Iterable<string>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Blob([...pieces]).arrayBuffer());
}
