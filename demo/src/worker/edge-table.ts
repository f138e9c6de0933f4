import type { Table } from 'apache-arrow';
import { decodeTable, type TableFormat } from 'magnitude-edge';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { columnsFromArrow } from '../edges/from-arrow.ts';

/** An edge table in both of its forms: Arrow for files and ranking, plain columns for the views. */
export interface EdgeTable {
  readonly table: Table;
  readonly columns: EdgeColumns;
}

/**
 * Reads an edge table from Arrow IPC, Parquet or CSV, recognised by its first bytes. Throws `invalid-data`.
 *
 * @param names of all function nodes, if known: nodes without a row are in no column
 */
export async function readEdgeTable(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  names?: readonly string[],
): Promise<EdgeTable> {
  const table = await decodeTable(bytes, formatOf(bytes), name);
  const columns = columnsFromArrow(table, name);
  return { table, columns: names ? { ...columns, names } : columns };
}

function formatOf(bytes: Uint8Array): TableFormat {
  const start = String.fromCharCode(...bytes.subarray(0, 6));
  if (start.startsWith('PAR1')) return 'parquet';
  // An Arrow stream begins with a continuation marker, a file with its name.
  return start === 'ARROW1' || start.startsWith('\u00ff\u00ff\u00ff\u00ff') ? 'arrow' : 'csv';
}
