import { tableFromIPC } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import { findNodeColumns, numericColumn, samplesFromColumns } from './columns.ts';
import type { Samples } from './matrix.ts';

/** A column of an Arrow table, whichever library built it. */
interface ColumnarVector {
  readonly nullCount: number;
  toArray(): unknown;
}

/** What apache-arrow's and flechette's tables have in common. */
export interface ColumnarTable {
  readonly numRows: number;
  readonly schema: { readonly fields: readonly { readonly name: string }[] };
  getChildAt(index: number): ColumnarVector | null | undefined;
}

export function isColumnarTable(source: unknown): source is ColumnarTable {
  return (
    typeof source === 'object' &&
    source !== null &&
    'numRows' in source &&
    'schema' in source &&
    'getChildAt' in source &&
    typeof source.getChildAt === 'function'
  );
}

/**
 * Reads Arrow IPC, file or stream format, with a numeric column for each input and output node.
 * @param name what messages call the file
 * @throws MagnitudeEdgeError `invalid-data`, `batch-mismatch` when a node has no column
 */
export function readArrow(bytes: Uint8Array, graph: GsnnGraph, name: string): Samples {
  let table: ColumnarTable;
  try {
    table = tableFromIPC(bytes);
  } catch (cause) {
    throw new MagnitudeEdgeError('invalid-data', `${name} is damaged: Arrow IPC could not be read.`, {
      details: { source: name },
      cause,
    });
  }
  return readTable(table, graph, name);
}

/** As {@link readArrow}, from a table in memory. */
export function readTable(table: ColumnarTable, graph: GsnnGraph, name: string): Samples {
  const header = table.schema.fields.map((field) => field.name);
  const positions = findNodeColumns(header, graph, name);
  const columns = new Map<number, ArrayLike<number>>();
  for (const position of new Set([...positions.x, ...positions.y])) {
    const vector = table.getChildAt(position);
    const column = header[position]!;
    if (!vector || vector.nullCount > 0) {
      throw new MagnitudeEdgeError(
        'invalid-data',
        `${name}, column '${column}' has ${vector?.nullCount ?? table.numRows} empty entries, a number was expected in each row.`,
        { details: { source: name, column } },
      );
    }
    columns.set(position, numericColumn(vector.toArray() as ArrayLike<unknown>, column, name));
  }
  return samplesFromColumns(columns, positions, table.numRows);
}
