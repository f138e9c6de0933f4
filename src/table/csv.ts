import { DataType, type Table, type Vector } from 'apache-arrow';
import { joinBytes } from '../bytes/join-bytes.ts';
import { columnOf } from './read-columns.ts';

/** Rows converted to text at a time, so that a large table never becomes one string. */
const ROWS_PER_PIECE = 1 << 14;

/** How text is written. */
export interface CsvStyle {
  readonly delimiter: ',' | '\t';
  /**
   * Puts an apostrophe before text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return, which spreadsheets
   * would read as a formula. Such names read back with the apostrophe. Default false.
   */
  readonly spreadsheetSafe?: boolean | undefined;
}

/**
 * A table as delimited text (RFC 4180, UTF-8, LF). NaN and null are empty cells, which pandas and R read as missing;
 * numbers are the shortest text that reads back to the same bits; booleans are true and false.
 */
export function tableToCsv(table: Table, style: CsvStyle): Uint8Array {
  return joinBytes([csvHeader(table, style), ...csvRows(table, style)]);
}

/** The line of column names. */
export function csvHeader({ schema }: Table, style: CsvStyle): Uint8Array {
  const names = schema.fields.map(({ name }) => quoted(name, style));
  return new TextEncoder().encode(`${names.join(style.delimiter)}\n`);
}

/** The rows, in pieces. */
export function* csvRows(table: Table, style: CsvStyle): Generator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  const cells = table.schema.fields.map(({ name }) => cellReader(columnOf(table, name)!, style));
  for (let first = 0; first < table.numRows; first += ROWS_PER_PIECE) {
    const end = Math.min(first + ROWS_PER_PIECE, table.numRows);
    let text = '';
    for (let row = first; row < end; row++) {
      for (let c = 0; c < cells.length; c++) text += (c === 0 ? '' : style.delimiter) + cells[c]!(row);
      text += '\n';
    }
    yield encoder.encode(text);
  }
}

/** The text of one cell, in quotes if it needs them. */
function cellReader(vector: Vector<DataType>, style: CsvStyle): (row: number) => string {
  const { type } = vector;
  if (DataType.isFloat(type) && vector.data.length === 1 && vector.nullCount === 0) {
    const values = vector.data[0]!.values as Float64Array | Float32Array;
    return (row) => {
      const value = values[row]!;
      return value === value ? String(value) : '';
    };
  }
  // Memoized by dictionary code, which is valid only if all batches share one dictionary.
  const hasOneDictionary = new Set(vector.data.map(({ dictionary }) => dictionary)).size === 1;
  const cells = DataType.isDictionary(type) && hasOneDictionary ? vector.memoize() : vector;
  const quotedNames = new Map<string, string>();
  return (row) => {
    const value = cells.get(row) as string | number | boolean | bigint | null;
    if (value === null || Number.isNaN(value)) return '';
    if (typeof value !== 'string') return String(value);
    let cell = quotedNames.get(value);
    if (cell === undefined) {
      cell = quoted(value, style);
      quotedNames.set(value, cell);
    }
    return cell;
  };
}

/** Text that a spreadsheet may read as a formula (OWASP, "CSV Injection"). */
const formula = /^[=+\-@\t\r]/;

function quoted(text: string, { delimiter, spreadsheetSafe }: CsvStyle): string {
  const safe = spreadsheetSafe === true && formula.test(text) ? `'${text}` : text;
  return safe.includes(delimiter) || /["\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
