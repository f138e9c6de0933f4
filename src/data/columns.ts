import type { Column, ColumnFile } from '../columns/column.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { Matrix, Samples } from './matrix.ts';
import { findNodeColumns } from './node-columns.ts';
import { missingTargetHint, missingTargetOption, type Reading } from './reading.ts';

/**
 * Reads the columns of the model's nodes from a columnar file, and no others.
 *
 * @throws MagnitudeEdgeError `batch-mismatch` when a node has no column, `invalid-data` for a column that does not hold
 * a number in each row, `out-of-memory` beyond the budget
 */
export async function readColumnFile(file: ColumnFile, reading: Reading): Promise<Samples> {
  const { graph, name, budget } = reading;
  const header = file.fields.map((field) => field.name);
  const { x, y } = findNodeColumns(header, graph, name);
  const wanted = [...new Set([...x, ...y])];
  for (const position of wanted) {
    const { kind, holds } = file.fields[position]!;
    if (kind === 'numbers' || kind === 'booleans') continue;
    const column = header[position]!;
    throw new MagnitudeEdgeError(
      'invalid-data',
      `${name}, column '${column}' holds ${holds}, numbers were expected.`,
      { details: { source: name, column } },
    );
  }
  const columns = new Map<number, Column>();
  (await file.read(wanted)).forEach((column, index) => columns.set(wanted[index]!, column));
  // The two float32 matrices, beside the columns.
  budget.take(4 * file.rows * (x.length + y.length), `${file.rows} rows of samples`, name);
  const gather = (positions: readonly number[], targets: boolean): Matrix => {
    const values = new Float32Array(file.rows * positions.length);
    positions.forEach((position, column) => {
      const source = columns.get(position)!;
      if (source.kind !== 'numbers' && source.kind !== 'booleans') return;
      const missing = source.valid?.indexOf(0) ?? -1;
      if (missing >= 0 && !(targets && reading.missingTargets)) {
        refuseMissing(header[position]!, missing, targets, name);
      }
      for (let row = 0, at = column; row < file.rows; row++, at += positions.length) {
        values[at] = source.valid?.[row] === 0 ? NaN : source.values[row]!;
      }
    });
    return { rows: file.rows, columns: positions.length, values };
  };
  return { x: gather(x, false), y: gather(y, true) };
}

function refuseMissing(column: string, row: number, target: boolean, name: string): never {
  throw new MagnitudeEdgeError(
    'invalid-data',
    `${name}, column '${column}', row ${row + 1} is empty, a number was expected${target ? missingTargetHint : ''}.`,
    { details: { source: name, column, row: row + 1, ...(target ? missingTargetOption : {}) } },
  );
}
