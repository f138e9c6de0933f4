import type { Table } from 'apache-arrow';
import { CsvNumbers, isMissing } from '../csv/numbers.ts';
import { evenRows, openCsv } from '../csv/read.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import {
  boolColumn,
  floatColumn,
  int32Column,
  nameColumn,
  nameVector,
  tableOf,
  type Column,
} from './columns.ts';

/** Types of the columns of this library's tables; any other column may hold numbers or text. */
const columnTypes: Readonly<Record<string, CellType>> = {
  src_func: 'text',
  dst_func: 'text',
  src_idx: 'int32',
  dst_idx: 'int32',
  corr: 'float64',
  n_cond: 'int32',
  has_edge: 'bool',
  p_value: 'float64',
  q_value: 'float64',
  corr_se: 'float64',
  sign_stability: 'float64',
  p_empirical: 'float64',
  score: 'float64',
  rank: 'int32',
  n_candidates: 'int32',
  reciprocal_rank: 'float64',
};

type CellType = 'text' | 'int32' | 'bool' | 'float64';

function knownType(column: string): CellType | undefined {
  if (Object.hasOwn(columnTypes, column)) return columnTypes[column];
  if (column.startsWith('top@')) return 'bool';
  return /^corr_a\d+_g\d+$/.test(column) ? 'float64' : undefined;
}

/**
 * Reads delimited text with a header. Columns of an edge table are recognized by name; any other column is float64 if
 * all of its cells are numbers or missing, else text. Missing cells (empty, NA, null, …) read as NaN, and as null in
 * columns of whole numbers and of booleans.
 *
 * @param name the file's name in error messages
 * @throws `invalid-data` naming the line and column of a cell that does not fit its column
 */
export function csvToTable(bytes: Uint8Array, name: string): Table {
  const asText = new Set<string>();
  for (;;) {
    const { columns, texts } = readColumns(bytes, name, asText);
    if (texts.length === 0) return tableOf(columns, new Map());
    // Columns read as numbers turned out to hold text: read again, with every cell of theirs kept as text.
    for (const column of texts) asText.add(column);
  }
}

function readColumns(
  bytes: Uint8Array,
  name: string,
  asText: ReadonlySet<string>,
): { columns: Column[]; texts: string[] } {
  const { delimiter, rows } = openCsv(bytes, name, (cell) => knownType(cell) !== undefined);
  const first = rows.next();
  if (first.done) throw invalid(`${name} is empty: a header line was expected.`, name);
  const header = first.value.cells.map((cell) => cell.trim());
  const numbers = new CsvNumbers(name, delimiter);
  const columns = header.flatMap((column, position) => {
    if (header.indexOf(column) === position) {
      const type = asText.has(column) ? 'text' : knownType(column);
      return [{ column, position, cells: cellsOf(type, numbers) }];
    }
    if (knownType(column) === undefined) return [];
    throw invalid(`${name} has more than one column '${column}'.`, name);
  });
  const texts = new Set<string>();
  for (const { cells, line } of evenRows(rows, header, name)) {
    for (const { column, position, cells: into } of columns) {
      const cell = cells[position]!;
      const expected = texts.has(column) ? undefined : into.add(cell, line);
      if (expected === undefined) continue;
      if (knownType(column) === undefined) texts.add(column);
      else
        throw invalid(
          `${name}, line ${line}, column '${column}' is '${cell.slice(0, 40)}', not ${expected}.`,
          name,
        );
    }
  }
  return { columns: columns.map(({ column, cells }) => cells.column(column)), texts: [...texts] };
}

/** Collects the cells of one column. */
interface Cells {
  /** @returns what was expected, if the cell is something else */
  add(cell: string, line: number): string | undefined;
  column(name: string): Column;
}

function cellsOf(type: CellType | undefined, numbers: CsvNumbers): Cells {
  switch (type) {
    case 'text':
      return new TextCells();
    case 'bool':
      return new BooleanCells();
    case 'int32':
      return new Int32Cells(numbers);
    case 'float64':
    case undefined:
      return new Float64Cells(numbers);
  }
}

class TextCells implements Cells {
  readonly #codes: number[] = [];
  readonly #codeOf = new Map<string, number>();

  add(cell: string): undefined {
    let code = this.#codeOf.get(cell);
    if (code === undefined) {
      code = this.#codeOf.size;
      this.#codeOf.set(cell, code);
    }
    this.#codes.push(code);
  }

  column(name: string): Column {
    return nameColumn(name, Int32Array.from(this.#codes), nameVector([...this.#codeOf.keys()]));
  }
}

class BooleanCells implements Cells {
  readonly #values: (boolean | null)[] = [];

  add(cell: string): string | undefined {
    const word = cell.trim().toLowerCase();
    const value = word === 'true' || word === '1' ? true : word === 'false' || word === '0' ? false : null;
    if (value === null && !isMissing(word)) return 'true or false';
    this.#values.push(value);
    return undefined;
  }

  column(name: string): Column {
    return boolColumn(name, this.#values.length, (row) => this.#values[row]!);
  }
}

class Int32Cells implements Cells {
  readonly #numbers: CsvNumbers;
  readonly #values: number[] = [];
  readonly #present: boolean[] = [];

  constructor(numbers: CsvNumbers) {
    this.#numbers = numbers;
  }

  add(cell: string, line: number): string | undefined {
    const value = isMissing(cell) ? NaN : this.#numbers.read(cell, line);
    const present = !Number.isNaN(value);
    if (value === undefined || (present && (value | 0) !== value)) return 'a whole number';
    this.#values.push(present ? value : 0);
    this.#present.push(present);
    return undefined;
  }

  column(name: string): Column {
    const values = Int32Array.from(this.#values);
    return this.#present.includes(false)
      ? int32Column(name, values, this.#present)
      : int32Column(name, values);
  }
}

class Float64Cells implements Cells {
  readonly #numbers: CsvNumbers;
  readonly #values: number[] = [];

  constructor(numbers: CsvNumbers) {
    this.#numbers = numbers;
  }

  add(cell: string, line: number): string | undefined {
    const value = isMissing(cell) ? NaN : this.#numbers.read(cell, line);
    if (value === undefined) return 'a number';
    this.#values.push(value);
    return undefined;
  }

  column(name: string): Column {
    return floatColumn(name, Float64Array.from(this.#values));
  }
}

function invalid(message: string, name: string): MagnitudeEdgeError {
  return new MagnitudeEdgeError('invalid-data', message, { details: { source: name } });
}
