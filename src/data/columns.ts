import type { ColumnFile } from '../columns/column.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { withoutRows, type Matrix, type Samples } from './matrix.ts';
import { findNodeColumns, type NodeColumns } from './node-columns.ts';
import { missingTargetHint, missingTargetOption, type OpenSamples, type Reading } from './reading.ts';

/** Columns read together: few enough to take little memory compared with the samples. */
const COLUMNS_TOGETHER = 64;

/**
 * Finds the columns of the model's nodes in a columnar file. Only these are read, at most a row group at a time.
 *
 * @throws MagnitudeEdgeError `batch-mismatch` if a node has no column, `invalid-data` for a column that is not numeric;
 * while reading `invalid-data` for a row without a number, `out-of-memory` for a row group beyond the budget
 */
export function openColumnFile(file: ColumnFile, reading: Reading): OpenSamples {
  const { graph, name } = reading;
  const header = file.fields.map((field) => field.name);
  const { x, y } = findNodeColumns(header, graph, name);
  for (const position of new Set([...x, ...y])) {
    const { kind, holds } = file.fields[position]!;
    if (kind === 'numbers' || kind === 'booleans') continue;
    const column = header[position]!;
    throw new MagnitudeEdgeError(
      'invalid-data',
      `${name}, column '${column}' holds ${holds}, numbers were expected.`,
      { details: { source: name, column } },
    );
  }
  return {
    rows: file.rows,
    async *blocks(first) {
      let start = 0;
      for (const [group, rows] of file.groups.entries()) {
        const from = Math.max(first - start, 0);
        if (from < rows) {
          const place = { group, rows, start };
          const sides = readGroup(file, place, { x, y }, reading);
          yield withoutRows(await sides, from);
        }
        start += rows;
      }
    },
  };
}

/** A part of a file that is read on its own. */
interface Place {
  readonly group: number;
  readonly rows: number;
  /** Rows of the file before it */
  readonly start: number;
}

async function readGroup(
  file: ColumnFile,
  { group, rows, start }: Place,
  sides: NodeColumns,
  { name, budget, missingTargets }: Reading,
): Promise<Samples> {
  const width = sides.x.length + sides.y.length;
  budget.copy().take(4 * rows * width, `${rows} rows of ${width} columns`, name);
  const fill = async (positions: readonly number[], targets: boolean): Promise<Matrix> => {
    const values = new Float32Array(rows * positions.length);
    for (let done = 0; done < positions.length; done += COLUMNS_TOGETHER) {
      const some = positions.slice(done, done + COLUMNS_TOGETHER);
      const columns = await file.read(some, group);
      some.forEach((position, k) => {
        const column = columns[k]!;
        if (column.kind !== 'numbers' && column.kind !== 'booleans') return;
        const missing = column.valid?.indexOf(0) ?? -1;
        if (missing >= 0 && !(targets && missingTargets)) {
          refuseMissing(file.fields[position]!.name, start + missing, targets, name);
        }
        for (let row = 0, at = done + k; row < rows; row++, at += positions.length) {
          values[at] = column.valid?.[row] === 0 ? NaN : column.values[row]!;
        }
      });
    }
    return { rows, columns: positions.length, values };
  };
  return { x: await fill(sides.x, false), y: await fill(sides.y, true) };
}

function refuseMissing(column: string, row: number, target: boolean, name: string): never {
  throw new MagnitudeEdgeError(
    'invalid-data',
    `${name}, column '${column}', row ${row + 1} is empty, a number was expected${target ? missingTargetHint : ''}.`,
    { details: { source: name, column, row: row + 1, ...(target ? missingTargetOption : {}) } },
  );
}
