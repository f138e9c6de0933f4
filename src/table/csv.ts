import { DataType, type Table, type Vector } from 'apache-arrow';
import { csvParseRows } from 'd3-dsv';
import { MagnitudeEdgeError } from '../errors.ts';
import { boolColumn, floatColumn, int32Column, tableOf, textColumn, type Column } from './columns.ts';
import { columnOf } from './read-columns.ts';

/** Rows turned to text at a time: a large table never becomes one string. */
const ROWS_PER_PIECE = 1 << 14;

/** Columns of the tables of this library that are not numbers in general; every other column is read as float64. */
const columnTypes: Readonly<Record<string, 'name' | 'int32' | 'bool'>> = {
  src_func: 'name',
  dst_func: 'name',
  src_idx: 'int32',
  dst_idx: 'int32',
  n_cond: 'int32',
  rank: 'int32',
  n_candidates: 'int32',
  has_edge: 'bool',
};

/**
 * A table as comma-separated values (RFC 4180, UTF-8, LF). NaN and null are empty cells, which pandas and R's
 * readers take as missing; numbers are the shortest text that reads back to the same bits; booleans are true and false.
 */
export function tableToCsv(table: Table): Uint8Array {
  return concatenated([csvHeader(table), ...csvRows(table)]);
}

/** The line of column names. */
export function csvHeader({ schema }: Table): Uint8Array {
  return new TextEncoder().encode(`${schema.fields.map(({ name }) => quoted(name)).join(',')}\n`);
}

/** The rows, some at a time. */
export function* csvRows(table: Table): Generator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  const cells = table.schema.fields.map(({ name }) => cellReader(columnOf(table, name)!));
  for (let first = 0; first < table.numRows; first += ROWS_PER_PIECE) {
    const end = Math.min(first + ROWS_PER_PIECE, table.numRows);
    let text = '';
    for (let row = first; row < end; row++) {
      for (let c = 0; c < cells.length; c++) text += (c === 0 ? '' : ',') + cells[c]!(row);
      text += '\n';
    }
    yield encoder.encode(text);
  }
}

/**
 * Reads comma-separated values with a header: the columns of an edge table by their names, any other column as
 * float64. Empty cells read as NaN (null in integer columns).
 *
 * @param name what messages call the file
 * @throws `invalid-data` naming the line and column of a cell that is not what its column holds
 */
export function csvToTable(bytes: Uint8Array, name: string): Table {
  const [header, ...rows] = csvParseRows(new TextDecoder().decode(bytes));
  if (header === undefined) throw invalid(`${name} is empty: a header line was expected.`, name);
  const short = rows.findIndex((row) => row.length !== header.length);
  if (short >= 0) {
    throw invalid(
      `${name}, line ${short + 2}, has ${rows[short]!.length} cells and the header has ${header.length}.`,
      name,
    );
  }
  const columns = header.map((column, c) =>
    parsedColumn(
      rows.map((row) => row[c]!),
      column,
      name,
    ),
  );
  return tableOf(columns, new Map());
}

function parsedColumn(cells: readonly string[], column: string, name: string): Column {
  const refuse = (row: number, expected: string): never => {
    throw invalid(`${name}, line ${row + 2}, column '${column}' is '${cells[row]!}', not ${expected}.`, name);
  };
  const type = columnTypes[column] ?? (column.startsWith('top@') ? 'bool' : 'float64');
  switch (type) {
    case 'name':
      return textColumn(column, cells);
    case 'bool': {
      const values = cells.map((cell, row) => {
        const word = cell.toLowerCase();
        if (word === 'true' || word === '1') return true;
        return word === 'false' || word === '0' ? false : refuse(row, 'true or false');
      });
      return boolColumn(column, values.length, (row) => values[row]!);
    }
    case 'int32': {
      const values = Int32Array.from(cells, (cell, row) => {
        return Number.isInteger(Number(cell)) ? Number(cell) : refuse(row, 'a whole number');
      });
      return int32Column(
        column,
        values,
        cells.map((cell) => cell !== ''),
      );
    }
    case 'float64':
      return floatColumn(
        column,
        Float64Array.from(cells, (cell, row) => {
          if (cell === '' || /^nan$/i.test(cell)) return NaN;
          const value = Number(cell);
          return Number.isNaN(value) ? refuse(row, 'a number') : value;
        }),
      );
  }
}

/** The text of one cell, quotes included where it needs them. */
function cellReader(vector: Vector<DataType>): (row: number) => string {
  const { type } = vector;
  if (DataType.isFloat(type) && vector.data.length === 1 && vector.nullCount === 0) {
    const values = vector.data[0]!.values as Float64Array | Float32Array;
    return (row) => {
      const value = values[row]!;
      return value === value ? String(value) : '';
    };
  }
  const memoized = vector.memoize();
  const quotedNames = new Map<string, string>();
  return (row) => {
    const value = memoized.get(row) as string | number | boolean | bigint | null;
    if (value === null || Number.isNaN(value)) return '';
    if (typeof value !== 'string') return String(value);
    let cell = quotedNames.get(value);
    if (cell === undefined) {
      cell = quoted(value);
      quotedNames.set(value, cell);
    }
    return cell;
  };
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function invalid(message: string, name: string): MagnitudeEdgeError {
  return new MagnitudeEdgeError('invalid-data', message, { details: { source: name } });
}
