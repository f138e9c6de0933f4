import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import { findNodeColumns, type NodeColumns } from './columns.ts';
import { CsvTokenizer } from './csv-tokenizer.ts';
import type { Matrix, Samples } from './matrix.ts';

/** Text is decoded in pieces of this many bytes: a file never becomes one string. */
const pieceBytes = 1 << 20;

/** What a number may look like: decimal, with an exponent or not. NaN and infinities are read, and refused at fit. */
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const specialNumbers = new Map([
  ['nan', NaN],
  ['inf', Infinity],
  ['infinity', Infinity],
  ['-inf', -Infinity],
  ['-infinity', -Infinity],
]);

/**
 * Reads comma-separated values (RFC 4180, UTF-8) whose header names a column for each input and output node.
 * @param name what messages call the file
 * @throws MagnitudeEdgeError `invalid-data` with row and column of a cell that is not a number, `batch-mismatch` when
 * a node has no column
 */
export function readCsv(bytes: Uint8Array, graph: GsnnGraph, name: string): Samples {
  const table = new CsvTable(graph, name);
  const tokenizer = new CsvTokenizer((row, line) => {
    table.addRow(row, line);
  });
  const decoder = new TextDecoder();
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    tokenizer.push(decoder.decode(bytes.subarray(start, start + pieceBytes), { stream: true }));
  }
  tokenizer.push(decoder.decode());
  if (!tokenizer.end()) {
    throw new MagnitudeEdgeError('invalid-data', `${name} ends inside a quoted cell.`, {
      details: { source: name },
    });
  }
  return table.samples();
}

/** Rows as they come, only the nodes' columns kept. */
class CsvTable {
  readonly #graph: GsnnGraph;
  readonly #name: string;
  #header: readonly string[] | undefined;
  #columns: NodeColumns | undefined;
  #x = new GrowingValues();
  #y = new GrowingValues();
  #rows = 0;

  constructor(graph: GsnnGraph, name: string) {
    this.#graph = graph;
    this.#name = name;
  }

  addRow(cells: readonly string[], line: number): void {
    if (cells.length === 1 && cells[0]!.trim() === '') return;
    if (!this.#header || !this.#columns) {
      this.#header = cells.map((cell) => cell.trim());
      this.#columns = findNodeColumns(this.#header, this.#graph, this.#name);
      return;
    }
    if (cells.length !== this.#header.length) {
      throw new MagnitudeEdgeError(
        'invalid-data',
        `${this.#name}, line ${line}: ${cells.length} cells, but the header has ${this.#header.length}.`,
        { details: { source: this.#name, line } },
      );
    }
    for (const position of this.#columns.x) this.#x.add(this.#number(cells[position]!, position, line));
    for (const position of this.#columns.y) this.#y.add(this.#number(cells[position]!, position, line));
    this.#rows++;
  }

  samples(): Samples {
    if (!this.#columns) {
      throw new MagnitudeEdgeError(
        'invalid-data',
        `${this.#name} is empty, a header of node names was expected.`,
        {
          details: { source: this.#name },
        },
      );
    }
    const matrix = (values: GrowingValues, columns: number): Matrix => ({
      rows: this.#rows,
      columns,
      values: values.take(),
    });
    return { x: matrix(this.#x, this.#columns.x.length), y: matrix(this.#y, this.#columns.y.length) };
  }

  #number(cell: string, position: number, line: number): number {
    const text = cell.trim();
    if (numberPattern.test(text)) return Number(text);
    const special = specialNumbers.get(text.toLowerCase());
    if (special !== undefined) return special;
    const column = this.#header![position]!;
    const found = text === '' ? 'empty' : `'${text.slice(0, 40)}'`;
    throw new MagnitudeEdgeError(
      'invalid-data',
      `${this.#name}, line ${line}, column '${column}' is ${found}, a number was expected.`,
      { details: { source: this.#name, line, column } },
    );
  }
}

/** A float32 list that doubles when it is full. */
class GrowingValues {
  #values = new Float32Array(1024);
  #length = 0;

  add(value: number): void {
    if (this.#length === this.#values.length) {
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
