import { DataType, type Table, type Utf8, type Vector } from 'apache-arrow';
import { TableInMemory } from '../columns/table-in-memory.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { unreadKind } from './table-from-file.ts';

/**
 * Reads a column of names row by row, for any type of strings.
 *
 * @throws `invalid-data` if the table has no such column, or it does not hold strings
 */
export function nameReader(table: Table, name: string): (row: number) => string {
  const position = positionOf(table, name);
  if (position < 0) {
    throw new MagnitudeEdgeError('invalid-data', `The table has no column '${name}'; ${columnsOf(table)}.`, {
      details: { column: name },
    });
  }
  const column = new TableInMemory(table, 'The table').column(position);
  if (column.kind !== 'strings') {
    throw new MagnitudeEdgeError('invalid-data', `Column '${name}' of the table does not hold strings.`, {
      details: { column: name },
    });
  }
  const { codes, dictionary } = column;
  return (row) => dictionary[codes[row]!] ?? '';
}

/**
 * All names in the given columns. Names in a dictionary count even if no row has them, so that a table of few rows
 * still knows its nodes.
 *
 * @throws `invalid-data` as {@link nameReader}
 */
export function distinctNames(table: Table, columns: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const column of columns) {
    const read = nameReader(table, column);
    const { data, type } = columnOf(table, column)!;
    if (DataType.isDictionary(type)) {
      for (const { dictionary } of data)
        for (const name of dictionary as Vector<Utf8>) if (name !== null) names.add(name);
    } else {
      for (let row = 0; row < table.numRows; row++) names.add(read(row));
    }
  }
  return names;
}

/**
 * Reads a column of numbers row by row; null reads as NaN.
 *
 * @throws `invalid-argument` if the table has no such column, or it does not hold numbers
 */
export function numberReader(table: Table, name: string): (row: number) => number {
  const refuse = (problem: string): never => {
    throw new MagnitudeEdgeError('invalid-argument', `The table ${problem}; ${columnsOf(table)}.`, {
      details: { column: name },
    });
  };
  const position = positionOf(table, name);
  if (position < 0) refuse(`has no column '${name}'`);
  const memory = new TableInMemory(table, 'The table');
  const unread = unreadKind(table.schema.fields[position]!);
  const { kind, holds } = memory.fields[position]!;
  if (unread !== undefined || kind !== 'numbers') {
    const found = kind === 'strings' ? firstText(columnOf(table, name)!) : `, but ${unread ?? holds}`;
    return refuse(`holds no numbers in its column '${name}'${found}`);
  }
  const { values, valid } = memory.numbers(position);
  return (row) => (valid?.[row] === 0 ? NaN : values[row]!);
}

/**
 * Reads a column of flags row by row: booleans, or numbers that are true unless 0; null reads as false.
 *
 * @returns undefined if the table has no such column
 * @throws `invalid-data` if it holds something else
 */
export function flagReader(table: Table, name: string): ((row: number) => boolean) | undefined {
  const position = positionOf(table, name);
  if (position < 0) return undefined;
  const memory = new TableInMemory(table, 'The table');
  const { kind, holds } = memory.fields[position]!;
  if (kind !== 'booleans' && kind !== 'numbers') {
    throw new MagnitudeEdgeError(
      'invalid-data',
      `Column '${name}' of the table holds ${holds}, not booleans.`,
      {
        details: { column: name },
      },
    );
  }
  const { values, valid } = memory.numbers(position);
  return (row) => valid?.[row] !== 0 && values[row] !== 0;
}

function positionOf(table: Table, name: string): number {
  return table.schema.fields.findIndex((field) => field.name === name);
}

/** The first text in a column that should hold numbers, as ` (row 3 is 'x')`. */
function firstText(vector: Vector<DataType>): string {
  for (let row = 0; row < vector.length; row++) {
    const value: unknown = vector.get(row);
    if (typeof value === 'string' && (value.trim() === '' || Number.isNaN(Number(value))))
      return ` (row ${row + 1} is '${value.slice(0, 40)}')`;
  }
  return '';
}

/** A column by its name, or null; apache-arrow types it as `any`. */
export function columnOf(table: Table, name: string): Vector<DataType> | null {
  return table.getChild(name) as Vector<DataType> | null;
}

function columnsOf(table: Table): string {
  return `its columns are ${table.schema.fields.map((field) => field.name).join(', ')}`;
}
