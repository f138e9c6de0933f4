import { CsvNumbers, isMissing } from '../csv/numbers.ts';
import { evenRows, openCsv } from '../csv/read.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { Matrix, Samples } from './matrix.ts';
import { findNodeColumns } from './node-columns.ts';
import { missingTargetHint, missingTargetOption, type Reading } from './reading.ts';

/**
 * Reads delimited text whose header names a column for each input and output node; no other column is read.
 * @throws MagnitudeEdgeError `invalid-data` with line and column of a cell that is not a number, `batch-mismatch` when
 * a node has no column, `out-of-memory`
 */
export function readCsv(bytes: Uint8Array, { graph, name, budget, missingTargets }: Reading): Samples {
  const { input, output } = graph.nodeNames;
  const nodes = new Set([...input, ...output]);
  const { delimiter, rows } = openCsv(bytes, name, (cell) => nodes.has(cell));
  const first = rows.next();
  if (first.done) {
    throw new MagnitudeEdgeError('invalid-data', `${name} is empty, a header of node names was expected.`, {
      details: { source: name },
    });
  }
  const header = first.value.cells.map((cell) => (nodes.has(cell) ? cell : cell.trim()));
  const positions = findNodeColumns(header, graph, name);
  const numbers = new CsvNumbers(name, delimiter);
  const refuse = (cell: string, position: number, line: number, wayOut = ''): never => {
    const column = header[position]!;
    const found = cell.trim() === '' ? 'empty' : `'${cell.trim().slice(0, 40)}'`;
    throw new MagnitudeEdgeError(
      'invalid-data',
      `${name}, line ${line}, column '${column}' is ${found}, a number was expected${wayOut}.`,
      { details: { source: name, line, column, ...(wayOut === '' ? {} : missingTargetOption) } },
    );
  };
  const grow = (bytes: number): void => {
    budget.take(bytes, 'its rows so far', name);
  };
  const [x, y] = [new GrowingValues(grow), new GrowingValues(grow)];
  let count = 0;
  for (const { cells: row, line } of evenRows(rows, header, name)) {
    for (const position of positions.x) {
      const cell = row[position]!;
      x.add(numbers.read(cell, line) ?? refuse(cell, position, line));
    }
    for (const position of positions.y) {
      const cell = row[position]!;
      const value = numbers.read(cell, line);
      if (value !== undefined) y.add(value);
      else if (!isMissing(cell)) refuse(cell, position, line);
      else if (missingTargets) y.add(NaN);
      else refuse(cell, position, line, missingTargetHint);
    }
    count++;
  }
  const matrix = (values: GrowingValues, columns: number): Matrix => ({
    rows: count,
    columns,
    values: values.take(),
  });
  return { x: matrix(x, positions.x.length), y: matrix(y, positions.y.length) };
}

/** A float32 list that doubles when it is full. */
class GrowingValues {
  #values = new Float32Array(1024);
  #length = 0;
  readonly #onGrow: (bytes: number) => void;

  /** @param onGrow called with the bytes that are allocated next */
  constructor(onGrow: (bytes: number) => void) {
    this.#onGrow = onGrow;
  }

  add(value: number): void {
    if (this.#length === this.#values.length) {
      this.#onGrow(this.#values.byteLength * 2);
      const larger = new Float32Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  take(): Float32Array {
    return this.#values.subarray(0, this.#length);
  }
}
