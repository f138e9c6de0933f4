import type { ByteSource } from '../bytes/byte-source.ts';
import { CsvNumbers, isMissing } from '../csv/numbers.ts';
import { csvRowsFrom, evenRows, type CsvRow } from '../csv/read.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { Samples } from './matrix.ts';
import { findNodeColumns, type NodeColumns } from './node-columns.ts';
import { missingTargetHint, missingTargetOption, type OpenSamples, type Reading } from './reading.ts';

/**
 * Opens delimited text whose header names a column for each input and output node; no other column is read.
 * @throws while reading: MagnitudeEdgeError `invalid-data` with line and column of a cell that is not a number,
 * `batch-mismatch` if a node has no column
 */
export function openCsvSamples(source: ByteSource, reading: Reading): OpenSamples {
  return { rows: undefined, blocks: () => csvBlocks(source, reading) };
}

async function* csvBlocks(source: ByteSource, reading: Reading): AsyncGenerator<Samples, void, undefined> {
  const { graph, name } = reading;
  const { input, output } = graph.nodeNames;
  const nodes = new Set([...input, ...output]);
  let cells: CellReader | undefined;
  for await (const { rows, delimiter } of csvRowsFrom(source, name, (cell) => nodes.has(cell))) {
    let body = rows;
    if (cells === undefined) {
      const [first, ...others] = rows;
      if (first === undefined) continue;
      const header = first.cells.map((cell) => (nodes.has(cell) ? cell : cell.trim()));
      cells = new CellReader(header, delimiter, reading);
      body = others;
    }
    if (body.length > 0) yield cells.samples(body);
  }
  if (cells !== undefined) return;
  throw new MagnitudeEdgeError('invalid-data', `${name} is empty, a header of node names was expected.`, {
    details: { source: name },
  });
}

/** Turns the cells of rows into numbers. */
class CellReader {
  readonly #header: readonly string[];
  readonly #reading: Reading;
  readonly #positions: NodeColumns;
  readonly #numbers: CsvNumbers;

  constructor(header: readonly string[], delimiter: string, reading: Reading) {
    this.#header = header;
    this.#reading = reading;
    this.#positions = findNodeColumns(header, reading.graph, reading.name);
    this.#numbers = new CsvNumbers(reading.name, delimiter);
  }

  samples(rows: readonly CsvRow[]): Samples {
    const { name, budget } = this.#reading;
    const { x, y } = this.#positions;
    const width = x.length + y.length;
    budget.copy().take(4 * rows.length * width, `${rows.length} rows of ${width} columns`, name);
    const xValues = new Float32Array(rows.length * x.length);
    const yValues = new Float32Array(rows.length * y.length);
    let [xAt, yAt] = [0, 0];
    for (const { cells, line } of evenRows(rows, this.#header, name)) {
      for (const position of x) xValues[xAt++] = this.#input(cells[position]!, position, line);
      for (const position of y) yValues[yAt++] = this.#target(cells[position]!, position, line);
    }
    return {
      x: { rows: rows.length, columns: x.length, values: xValues },
      y: { rows: rows.length, columns: y.length, values: yValues },
    };
  }

  #input(cell: string, position: number, line: number): number {
    return this.#numbers.read(cell, line) ?? this.#refuse(cell, position, line);
  }

  #target(cell: string, position: number, line: number): number {
    const value = this.#numbers.read(cell, line);
    if (value !== undefined) return value;
    if (!isMissing(cell)) return this.#refuse(cell, position, line);
    return this.#reading.missingTargets ? NaN : this.#refuse(cell, position, line, missingTargetHint);
  }

  #refuse(cell: string, position: number, line: number, wayOut = ''): never {
    const { name } = this.#reading;
    const column = this.#header[position]!;
    const found = cell.trim() === '' ? 'empty' : `'${cell.trim().slice(0, 40)}'`;
    throw new MagnitudeEdgeError(
      'invalid-data',
      `${name}, line ${line}, column '${column}' is ${found}, a number was expected${wayOut}.`,
      { details: { source: name, line, column, ...(wayOut === '' ? {} : missingTargetOption) } },
    );
  }
}
