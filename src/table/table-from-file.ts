import { Field, makeData, Null, type Table } from 'apache-arrow';
import type { Column as FileColumn, ColumnFile } from '../columns/column.ts';
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

/**
 * The table of a columnar file, in this library's own column types: float32, float64, int32, bool and
 * dictionary-encoded strings. A column that holds neither numbers, booleans nor strings is all null, and its field's
 * metadata record what the file holds there (`holds`); that is an error only in a column that an edge table requires.
 *
 * @param name the file's name in error messages
 * @throws `invalid-data` if the file is damaged, or a column of the edge table holds something else; `out-of-memory`
 */
export async function tableFromFile(file: ColumnFile, name: string): Promise<Table> {
  file.fields.forEach(({ name: column, kind, holds }) => {
    const expected = isNames(column) ? 'strings' : isNumbers(column) ? 'numbers' : undefined;
    if (expected === undefined || kind === expected || (kind === 'booleans' && expected === 'numbers'))
      return;
    throw new MagnitudeEdgeError(
      'invalid-data',
      `${name}, column '${column}' holds ${holds}, ${expected} were expected.`,
      { details: { source: name, column } },
    );
  });
  const names = file.fields.map((field) => field.name);
  const repeated = names.find((column, position) => isKnown(column) && names.indexOf(column) !== position);
  if (repeated !== undefined) {
    throw new MagnitudeEdgeError('invalid-data', `${name} has more than one column '${repeated}'.`, {
      details: { source: name, column: repeated },
    });
  }
  const readable = file.fields.flatMap(({ kind }, position) =>
    kind === 'other' || kind === 'lists' ? [] : [position],
  );
  const read = await file.read(readable);
  const columns = file.fields.flatMap(({ name: column, holds }, position) => {
    // If columns share a name, only the first is kept: apache-arrow cannot tell them apart.
    if (names.indexOf(column) !== position) return [];
    const index = readable.indexOf(position);
    return [index < 0 ? unreadColumn(column, file.rows, holds) : arrowColumn(column, read[index]!)];
  });
  return tableOf(columns, file.metadata);
}

/** What the file holds in a column that was not read; undefined for a column that was. */
export function unreadKind(field: Field): string | undefined {
  return field.metadata.get('holds');
}

const isNames = (column: string): boolean => column === 'src_func' || column === 'dst_func';

/** Numeric columns of an edge table. */
const isNumbers = (column: string): boolean =>
  /^(?:corr|corr_se|p_value|q_value|p_empirical|sign_stability|src_idx|dst_idx|n_cond|corr_a\d+_g\d+)$/.test(
    column,
  );

const isKnown = (column: string): boolean => isNames(column) || isNumbers(column);

function unreadColumn(name: string, rows: number, holds: string): Column {
  const type = new Null();
  const field = new Field(name, type, true, new Map([['holds', holds]]));
  return { field, data: makeData({ type, length: rows }) };
}

function arrowColumn(name: string, column: FileColumn): Column {
  switch (column.kind) {
    case 'strings': {
      const { codes, dictionary } = column;
      return nameColumn(name, codes, nameVector(dictionary));
    }
    case 'booleans': {
      const { values, valid } = column;
      return boolColumn(name, values.length, (row) => (valid?.[row] === 0 ? null : values[row] === 1));
    }
    case 'numbers': {
      const { values, valid } = column;
      if (values instanceof Float32Array || values instanceof Float64Array) {
        return floatColumn(
          name,
          valid ? values.map((value, row) => (valid[row] === 0 ? NaN : value)) : values,
        );
      }
      if (values instanceof Uint32Array) {
        const wide = Float64Array.from(values, (value, row) => (valid?.[row] === 0 ? NaN : value));
        return floatColumn(name, wide);
      }
      const present = valid && Array.from(valid, (flag) => flag === 1);
      return int32Column(name, Int32Array.from(values), present);
    }
    default:
      throw new TypeError(`column ${name} was not read`);
  }
}
