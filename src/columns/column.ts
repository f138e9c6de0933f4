/** Numbers in the file's own type; 64-bit integers and decimals as the nearest float64. */
export type NumberArray =
  Float64Array | Float32Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

/** A column of numbers, one per row. */
export interface NumberColumn {
  readonly kind: 'numbers';
  readonly values: NumberArray;
  /** One byte per row, 0 for null; absent if no row is null. NaN is a value. */
  readonly valid?: Uint8Array | undefined;
}

export interface BooleanColumn {
  readonly kind: 'booleans';
  /** 1 for true, 0 for false */
  readonly values: Uint8Array;
  /** As in {@link NumberColumn} */
  readonly valid?: Uint8Array | undefined;
}

/** A column of strings, dictionary-encoded. */
export interface StringColumn {
  readonly kind: 'strings';
  /** Dictionary index of each row, -1 for null */
  readonly codes: Int32Array;
  readonly dictionary: readonly string[];
}

/** A column of lists of equal length, stored end to end. */
export interface ListColumn {
  readonly kind: 'lists';
  readonly rows: number;
  /** Items per list */
  readonly width: number;
  /** Items of all rows, end to end */
  readonly items: Column;
}

/** A column whose values are not read: dates, times, lists, bytes. */
export interface OtherColumn {
  readonly kind: 'other';
  /** What it holds, as worded in messages: 'timestamps' */
  readonly holds: string;
  readonly rows: number;
}

/** A column by logical type, whatever its physical encoding. */
export type Column = NumberColumn | BooleanColumn | StringColumn | ListColumn | OtherColumn;

/** What a file declares about a column before it is read. */
export interface FieldInfo {
  readonly name: string;
  readonly kind: Column['kind'];
  /** What it holds, as worded in messages: 'numbers', 'timestamps' */
  readonly holds: string;
}

/** A columnar file: its metadata, and any of its columns on demand. */
export interface ColumnFile {
  readonly rows: number;
  /** Rows of each part that can be read on its own: a row group, or a record batch */
  readonly groups: readonly number[];
  readonly fields: readonly FieldInfo[];
  /** Key-value pairs of its schema */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * Reads columns, by their positions in `fields`.
   * @param group reads only the rows of that part, without using up the budget. Default: all rows
   * @throws MagnitudeEdgeError `invalid-data` if the file is damaged, `out-of-memory` if its budget is exceeded
   */
  read(positions: readonly number[], group?: number): Promise<Column[]>;
}
