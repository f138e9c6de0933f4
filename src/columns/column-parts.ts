import type { Column, NumberArray } from './column.ts';

/**
 * The rows of a column at `indices`; -1 yields a null.
 * @throws RangeError for an index outside the column
 */
export function take(column: Column, indices: Int32Array): Column {
  if (column.kind === 'other' || column.kind === 'lists')
    return { kind: 'other', holds: 'lists', rows: indices.length };
  if (column.kind === 'strings') {
    const { codes, dictionary } = column;
    return { kind: 'strings', codes: gather(new Int32Array(indices.length), codes, indices, -1), dictionary };
  }
  const values = gather(sameType(column.values, indices.length), column.values, indices, 0);
  const anyMissing = column.valid !== undefined || indices.includes(-1);
  const valid = anyMissing
    ? gather(
        new Uint8Array(indices.length),
        column.valid ?? new Uint8Array(column.values.length).fill(1),
        indices,
        0,
      )
    : undefined;
  return { ...column, values, valid } as Column;
}

/** Concatenates columns of one kind; a single column is returned as is. */
export function concat(columns: readonly Column[]): Column {
  const [first] = columns;
  if (first === undefined || columns.length === 1)
    return first ?? { kind: 'other', holds: 'nothing', rows: 0 };
  const rows = columns.reduce((sum, column) => sum + rowsOf(column), 0);
  if (first.kind === 'other') return { ...first, rows };
  if (first.kind === 'lists') {
    return { ...first, rows, items: concat(columns.map((column) => (column as typeof first).items)) };
  }
  if (first.kind === 'strings') return concatStrings(columns as (typeof first)[], rows);
  const parts = columns as readonly { values: NumberArray; valid?: Uint8Array | undefined }[];
  const values = sameType(first.values, rows);
  const valid = parts.some((part) => part.valid) ? new Uint8Array(rows) : undefined;
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    if (part.valid) valid?.set(part.valid, at);
    else valid?.fill(1, at, at + part.values.length);
    at += part.values.length;
  }
  return { ...first, values, valid } as Column;
}

/** Number of rows of a column. */
export function rowsOf(column: Column): number {
  if (column.kind === 'other' || column.kind === 'lists') return column.rows;
  return column.kind === 'strings' ? column.codes.length : column.values.length;
}

function concatStrings(
  columns: readonly { readonly codes: Int32Array; readonly dictionary: readonly string[] }[],
  rows: number,
): Column {
  const codeOf = new Map<string, number>();
  const codes = new Int32Array(rows);
  let at = 0;
  for (const column of columns) {
    const renamed = column.dictionary.map((text) => {
      const code = codeOf.get(text) ?? codeOf.size;
      codeOf.set(text, code);
      return code;
    });
    for (const code of column.codes) codes[at++] = code < 0 ? -1 : renamed[code]!;
  }
  return { kind: 'strings', codes, dictionary: [...codeOf.keys()] };
}

function gather<T extends NumberArray>(
  into: T,
  values: NumberArray,
  indices: Int32Array,
  missing: number,
): T {
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row]!;
    const value = index === -1 ? missing : values[index];
    if (value === undefined)
      throw new RangeError(`a dictionary index is ${index}, but the dictionary has ${values.length} values`);
    into[row] = value;
  }
  return into;
}

function sameType<T extends NumberArray>(values: T, length: number): T {
  return new (values.constructor as new (length: number) => T)(length);
}
