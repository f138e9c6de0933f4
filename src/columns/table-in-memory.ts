import { MagnitudeEdgeError } from '../errors.ts';
import type { Column, ColumnFile, FieldInfo, NumberArray, NumberColumn } from './column.ts';
import { bigEndianInteger, decimalReader } from './decimal.ts';

/** A column of an Arrow table, whichever library built it. */
export interface ColumnarVector {
  readonly nullCount: number;
  get(row: number): unknown;
  toArray(): unknown;
  /** apache-arrow only: the column's part of each record batch */
  readonly data?: readonly ColumnarPart[];
}

/** A column's part of one record batch. */
export interface ColumnarPart {
  readonly length: number;
  readonly nullCount: number;
  /** One bit per row from bit `offset` on, 0 for null; empty if no row is null */
  readonly nullBitmap?: Uint8Array | undefined;
  /** Booleans: one bit per row from bit `offset` on. Dictionary columns: the code of each row */
  readonly values?: unknown;
  /** apache-arrow only */
  readonly offset?: number;
  readonly dictionary?: { get(code: number): unknown } | undefined;
}

/** An Arrow type by its number in Schema.fbs, -1 for dictionaries; the same in both libraries. */
interface ColumnarType {
  readonly typeId: number;
  readonly scale?: number;
  readonly dictionary?: unknown;
  readonly children?: readonly { readonly type?: unknown }[];
}

/** What apache-arrow's and flechette's tables have in common. */
export interface ColumnarTable {
  readonly numRows: number;
  readonly schema: { readonly fields: readonly { readonly name: string; readonly type?: unknown }[] };
  getChildAt(index: number): ColumnarVector | null | undefined;
}

export function isColumnarTable(source: unknown): source is ColumnarTable {
  return (
    typeof source === 'object' &&
    source !== null &&
    'numRows' in source &&
    'schema' in source &&
    'getChildAt' in source &&
    typeof source.getChildAt === 'function'
  );
}

/** An Arrow table in memory as a columnar file; columns are read by type, as from files. */
export class TableInMemory implements ColumnFile {
  readonly rows: number;
  /** A single group: the whole table is in memory */
  readonly groups: readonly number[];
  readonly fields: readonly FieldInfo[];
  readonly metadata: ReadonlyMap<string, string> = new Map();
  readonly #table: ColumnarTable;
  readonly #name: string;

  /** @param name the table's name in error messages */
  constructor(table: ColumnarTable, name: string) {
    this.rows = table.numRows;
    this.groups = [this.rows];
    this.fields = table.schema.fields.map(({ name: column, type }) => ({
      name: column,
      ...describe(valueType(type)),
    }));
    this.#table = table;
    this.#name = name;
  }

  read(positions: readonly number[]): Promise<Column[]> {
    return Promise.resolve(positions.map((position) => this.column(position)));
  }

  /** The column at a position of `fields`. @throws MagnitudeEdgeError `invalid-data` */
  column(position: number): Column {
    const { name } = this.fields[position]!;
    try {
      return this.#column(position);
    } catch (cause) {
      if (cause instanceof MagnitudeEdgeError) throw cause;
      // flechette rejects 64-bit integers beyond 2^53 unless configured to return bigints.
      const why = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
      throw this.#invalid(`column '${name}' could not be read: ${why}`, name, cause);
    }
  }

  #column(position: number): Column {
    const { name, kind, holds } = this.fields[position]!;
    switch (kind) {
      case 'numbers':
        return this.numbers(position);
      case 'booleans': {
        const bits = plainBits(this.#vector(position));
        if (bits !== undefined) return { kind, values: bits };
        const { values, valid } = this.numbers(position);
        return { kind, values: Uint8Array.from(values), valid };
      }
      case 'strings':
        return this.#strings(this.#vector(position), name);
      default:
        return { kind: 'other', holds, rows: this.rows };
    }
  }

  /** A column of numbers or booleans as numbers. @throws MagnitudeEdgeError `invalid-data` */
  numbers(position: number): NumberColumn {
    const vector = this.#vector(position);
    const { name, type: given } = this.#table.schema.fields[position]!;
    const type = valueType(given);
    const { rows } = this;
    if (vector.nullCount === 0 && type === given && isPlainNumber(type)) {
      const values = vector.toArray();
      if (isNumberArray(values) && values.length === rows) return { kind: 'numbers', values };
    }
    const toNumber = type?.typeId === decimalType ? decimalReader(type.scale ?? 0) : Number;
    const values = new Float64Array(rows).fill(NaN);
    let valid: Uint8Array | undefined;
    for (let row = 0; row < rows; row++) {
      const value = vector.get(row);
      if (value === null || value === undefined) {
        valid ??= new Uint8Array(rows).fill(1);
        valid[row] = 0;
      } else if (typeof value === 'number' && type?.typeId === decimalType) {
        values[row] = value;
      } else if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
        values[row] = toNumber(typeof value === 'boolean' ? Number(value) : value);
      } else if (type?.typeId === decimalType && ArrayBuffer.isView(value)) {
        values[row] = toNumber(littleEndianInteger(value));
      } else {
        const found = typeof value === 'string' ? `'${value.slice(0, 40)}'` : `of type ${typeof value}`;
        throw this.#invalid(`column '${name}', row ${row + 1} is ${found}, a number was expected`, name);
      }
    }
    return { kind: 'numbers', values, ...(valid ? { valid } : {}) };
  }

  #strings(vector: ColumnarVector, name: string): Column {
    const codeOf = new Map<string, number>();
    const code = (text: unknown, row: number): number => {
      if (text === null || text === undefined) return -1;
      if (typeof text !== 'string')
        throw this.#invalid(`column '${name}', row ${row + 1} is not a string`, name);
      let known = codeOf.get(text);
      if (known === undefined) {
        known = codeOf.size;
        codeOf.set(text, known);
      }
      return known;
    };
    const codes =
      codesByDictionary(vector, code, this.rows) ??
      Int32Array.from({ length: this.rows }, (_, row) => code(vector.get(row), row));
    return { kind: 'strings', codes, dictionary: [...codeOf.keys()] };
  }

  #vector(position: number): ColumnarVector {
    const vector = this.#table.getChildAt(position);
    if (vector) return vector;
    const { name } = this.fields[position]!;
    throw this.#invalid(`column '${name}' is empty`, name);
  }

  #invalid(why: string, column: string, cause?: unknown): MagnitudeEdgeError {
    return new MagnitudeEdgeError('invalid-data', `${this.#name}, ${why}.`, {
      details: { source: this.#name, column },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

type CodeOf = (text: unknown, row: number) => number;

/**
 * The codes of a dictionary column; each batch has its own dictionary, whose strings are looked up once.
 * @returns undefined for a column without dictionaries
 */
function codesByDictionary({ data }: ColumnarVector, code: CodeOf, rows: number): Int32Array | undefined {
  const isPlain = ({ values, offset, dictionary }: ColumnarPart): boolean =>
    dictionary !== undefined && offset !== undefined && values instanceof Int32Array;
  if (!data?.every(isPlain)) return undefined;
  const codes = new Int32Array(rows);
  let row = 0;
  for (const part of data) {
    const { values, dictionary, nullCount, nullBitmap = [], offset = 0 } = part;
    const own: (number | undefined)[] = [];
    for (let at = 0; at < part.length; at++, row++) {
      const theirs = (values as Int32Array)[at]!;
      const isNull = nullCount > 0 && !bitAt(nullBitmap, offset + at);
      codes[row] = isNull ? -1 : (own[theirs] ??= code(dictionary!.get(theirs), row));
    }
  }
  return codes;
}

function bitAt(bytes: ArrayLike<number>, bit: number): boolean {
  return ((bytes[bit >> 3]! >> (bit & 7)) & 1) === 1;
}

/** Booleans of a single batch without nulls, one byte per row. */
function plainBits({ data, nullCount }: ColumnarVector): Uint8Array | undefined {
  const [part] = data ?? [];
  if (nullCount > 0 || data?.length !== 1 || !(part?.values instanceof Uint8Array)) return undefined;
  const { values, offset } = part;
  if (offset === undefined) return undefined;
  const plain = new Uint8Array(part.length);
  for (let row = 0; row < plain.length; row++) plain[row] = bitAt(values, offset + row) ? 1 : 0;
  return plain;
}

const decimalType = 7;
const runsType = 22;

/** By the union `Type` of Arrow's Schema.fbs. A column of undeclared type is read as numbers. */
function describe(type: ColumnarType | undefined): Pick<FieldInfo, 'kind' | 'holds'> {
  switch (type?.typeId) {
    case undefined:
    case 1:
    case 2:
    case 3:
      return { kind: 'numbers', holds: 'numbers' };
    case decimalType:
      return { kind: 'numbers', holds: 'decimals' };
    case 6:
      return { kind: 'booleans', holds: 'booleans' };
    case 5:
    case 20:
    case 24:
      return { kind: 'strings', holds: 'strings' };
    case 8:
      return { kind: 'other', holds: 'dates' };
    case 9:
      return { kind: 'other', holds: 'times' };
    case 10:
      return { kind: 'other', holds: 'timestamps' };
    case 11:
      return { kind: 'other', holds: 'intervals' };
    case 18:
      return { kind: 'other', holds: 'durations' };
    default:
      return { kind: 'other', holds: 'neither numbers nor strings' };
  }
}

/** The type of the values, looking through dictionaries and runs. */
function valueType(type: unknown): ColumnarType | undefined {
  if (typeof type !== 'object' || type === null || !('typeId' in type)) return undefined;
  const known = type as ColumnarType;
  if (known.typeId === -1) return valueType(known.dictionary);
  return known.typeId === runsType ? valueType(known.children?.[1]?.type) : known;
}

/** Whether `toArray` returns numbers rather than raw bits, as it does for float16 and decimals. */
function isPlainNumber(type: ColumnarType | undefined): boolean {
  if (type?.typeId === 3) return 'precision' in type && type.precision !== 0;
  return type?.typeId === 2;
}

function isNumberArray(values: unknown): values is NumberArray {
  return (
    ArrayBuffer.isView(values) && !(values instanceof BigInt64Array) && !(values instanceof BigUint64Array)
  );
}

/** apache-arrow returns a decimal as its words. */
function littleEndianInteger({ buffer, byteOffset, byteLength }: ArrayBufferView): bigint {
  return bigEndianInteger(new Uint8Array(buffer, byteOffset, byteLength).slice().reverse());
}
