import type { DecodedArray, SchemaElement, SchemaTree } from 'hyparquet/src/types.js';
import type { Column, FieldInfo, NumberArray } from './column.ts';
import { bigEndianInteger, decimalReader } from './decimal.ts';
import { float16 } from './float16.ts';

/** Receives a column while its pages are read. Every value is a number; a string is its code. */
export interface ColumnSink {
  /** One per row; nulls keep their initial value */
  readonly values: NumberArray;
  /** Converts values of the physical type to numbers */
  convert(raw: DecodedArray): ArrayLike<number>;
  /** @param valid as in a column of numbers */
  finish(valid: Uint8Array | undefined): Column;
}

export interface ParquetField extends FieldInfo {
  readonly element: SchemaElement;
  /** @param rows of the column */
  sink(rows: number): ColumnSink;
}

/** What a column of a Parquet file holds, by its logical type (LogicalTypes.md), or the older converted type. */
export function parquetField({ element, children }: SchemaTree): ParquetField {
  const {
    name,
    type,
    repetition_type: repetition,
    logical_type: logical,
    converted_type: converted,
  } = element;
  // hyparquet does not validate metadata: in a damaged file anything may be absent.
  if (typeof name !== 'string') throw new Error('one of its columns has no name');
  const other = (holds: string): ParquetField => ({
    name,
    kind: 'other',
    holds,
    element,
    sink: (rows) => ({
      values: new Uint8Array(),
      convert: () => [],
      finish: () => ({ kind: 'other', holds, rows }),
    }),
  });
  const numbers = (
    allocate: (rows: number) => NumberArray,
    convert: (raw: DecodedArray) => ArrayLike<number>,
    holds = 'numbers',
  ): ParquetField => ({
    name,
    kind: 'numbers',
    holds,
    element,
    sink: (rows) => {
      const values = allocate(rows);
      return { values, convert, finish: (valid) => ({ kind: 'numbers', values, valid }) };
    },
  });
  const float64 = (convert: (value: number & bigint & Uint8Array) => number, holds?: string): ParquetField =>
    numbers(
      (rows) => new Float64Array(rows).fill(NaN),
      (raw) => Float64Array.from(raw as unknown as ArrayLike<never>, convert),
      holds,
    );

  if (children.length > 0 || repetition === 'REPEATED' || type === undefined) {
    return other(
      logical?.type === 'MAP'
        ? 'maps'
        : children.length > 0 && logical?.type !== 'LIST'
          ? 'structs'
          : 'lists',
    );
  }
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') {
    const toNumber = decimalReader((logical?.type === 'DECIMAL' ? logical.scale : element.scale) ?? 0);
    const bytes = type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY';
    return float64(bytes ? (value) => toNumber(bigEndianInteger(value)) : toNumber, 'decimals');
  }
  const moment = momentOf(element);
  if (moment !== undefined) return other(moment);
  const unsigned = logical?.type === 'INTEGER' ? !logical.isSigned : converted?.startsWith('UINT_') === true;
  switch (type) {
    case 'BOOLEAN':
      return booleans(element);
    case 'INT32':
      return unsigned
        ? numbers(
            (rows) => new Uint32Array(rows),
            (raw) => Uint32Array.from(raw as Int32Array),
          )
        : numbers(
            (rows) => new Int32Array(rows),
            (raw) => raw as Int32Array,
          );
    case 'INT64':
      return float64(unsigned ? (value) => Number(BigInt.asUintN(64, value)) : Number);
    case 'FLOAT':
      return numbers(
        (rows) => new Float32Array(rows).fill(NaN),
        (raw) => raw as Float32Array,
      );
    case 'DOUBLE':
      return numbers(
        (rows) => new Float64Array(rows).fill(NaN),
        (raw) => raw as Float64Array,
      );
    case 'FIXED_LEN_BYTE_ARRAY':
      return logical?.type === 'FLOAT16'
        ? float64((value: Uint8Array) => float16(value[0]! | (value[1]! << 8)))
        : other('bytes');
    case 'BYTE_ARRAY': {
      // Also without a logical type: some writers store strings so.
      const text = logical === undefined || ['STRING', 'ENUM', 'JSON'].includes(logical.type);
      return text && converted !== 'BSON' ? strings(element) : other('bytes');
    }
    default:
      return other('timestamps');
  }
}

/** Dates, times and the like, by name: their stored numbers are not meant as numbers. */
function momentOf({
  type,
  logical_type: logical,
  converted_type: converted,
}: SchemaElement): string | undefined {
  if (logical?.type === 'DATE' || converted === 'DATE') return 'dates';
  if (logical?.type === 'TIMESTAMP' || converted?.startsWith('TIMESTAMP') || type === 'INT96')
    return 'timestamps';
  if (logical?.type === 'TIME' || converted?.startsWith('TIME_')) return 'times';
  if (converted === 'INTERVAL') return 'intervals';
  return logical?.type === 'UUID' ? 'UUIDs' : undefined;
}

function booleans(element: SchemaElement): ParquetField {
  return {
    name: element.name,
    kind: 'booleans',
    holds: 'booleans',
    element,
    sink: (rows) => {
      const values = new Uint8Array(rows);
      return {
        values,
        convert: (raw) => Uint8Array.from(raw as ArrayLike<unknown>, (value) => (value ? 1 : 0)),
        finish: (valid) => ({ kind: 'booleans', values, valid }),
      };
    },
  };
}

function strings(element: SchemaElement): ParquetField {
  return {
    name: element.name,
    kind: 'strings',
    holds: 'strings',
    element,
    sink: (rows) => {
      const codes = new Int32Array(rows).fill(-1);
      const codeOf = new Map<string, number>();
      const decoder = new TextDecoder();
      const convert = (raw: DecodedArray): Int32Array =>
        Int32Array.from(raw as ArrayLike<Uint8Array>, (bytes) => {
          const text = decoder.decode(bytes);
          let code = codeOf.get(text);
          if (code === undefined) {
            code = codeOf.size;
            codeOf.set(text, code);
          }
          return code;
        });
      return {
        values: codes,
        convert,
        finish: () => ({ kind: 'strings', codes, dictionary: [...codeOf.keys()] }),
      };
    },
  };
}
