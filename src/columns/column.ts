/** Numbers as a file holds them; 64-bit integers and decimals as the nearest float64. */
export type NumberArray =
  Float64Array | Float32Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

/** A column of numbers, one a row. */
export interface NumberColumn {
  readonly kind: 'numbers';
  readonly values: NumberArray;
  /** One byte a row, 0 where there is no value (null); absent where there is one in every row. NaN is a value. */
  readonly valid?: Uint8Array | undefined;
}

export interface BooleanColumn {
  readonly kind: 'booleans';
  /** 1 for true, 0 for false */
  readonly values: Uint8Array;
  /** As of {@link NumberColumn} */
  readonly valid?: Uint8Array | undefined;
}

/** A column of strings, each held once. */
export interface StringColumn {
  readonly kind: 'strings';
  /** Index into the dictionary of each row, -1 for null */
  readonly codes: Int32Array;
  readonly dictionary: readonly string[];
}

/** A column of lists of one length, end to end. */
export interface ListColumn {
  readonly kind: 'lists';
  readonly rows: number;
  /** Items of a list */
  readonly width: number;
  /** Of all rows, one after the other */
  readonly items: Column;
}

/** A column whose values are not read: dates, times, lists, bytes. */
export interface OtherColumn {
  readonly kind: 'other';
  /** What it holds, as messages say it: 'timestamps' */
  readonly holds: string;
  readonly rows: number;
}

/** A column by what its values mean, whatever the file keeps them in. */
export type Column = NumberColumn | BooleanColumn | StringColumn | ListColumn | OtherColumn;

/** What a file says of a column before it is read. */
export interface FieldInfo {
  readonly name: string;
  readonly kind: Column['kind'];
  /** What it holds, as messages say it: 'numbers', 'timestamps' */
  readonly holds: string;
}

/** A columnar file: what is in it, and any of its columns on demand. */
export interface ColumnFile {
  readonly rows: number;
  /** Rows of each part that can be read on its own: a row group, or a record batch */
  readonly groups: readonly number[];
  readonly fields: readonly FieldInfo[];
  /** Key-value pairs of its schema */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * Reads columns, by their positions in `fields`.
   * @param group only the rows of that part; what it takes of the budget is given back. Default: all rows
   * @throws MagnitudeEdgeError `invalid-data` where the file is damaged, `out-of-memory` where its budget is spent
   */
  read(positions: readonly number[], group?: number): Promise<Column[]>;
}
