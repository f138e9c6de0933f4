import { joinBytes } from '../bytes/join-bytes.ts';
import type { BooleanColumn } from './column.ts';
import { packWords } from './snappy-words.ts';
import { varint } from './thrift.ts';

/** Numbers to write, one per row. */
export interface WrittenNumbers {
  readonly kind: 'numbers';
  readonly values: Float64Array | Float32Array | Int32Array | BigInt64Array;
  /** As in a column that is read */
  readonly valid?: Uint8Array | undefined;
}

/** Strings to write, each stored once. */
export interface WrittenStrings {
  readonly kind: 'strings';
  /** Index of each row's string, -1 for null */
  readonly codes: Int32Array;
  /** UTF-8 end to end: string k is `bytes[offsets[k] .. offsets[k + 1]]`. */
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
}

export type WrittenColumn = WrittenNumbers | BooleanColumn | WrittenStrings;

// Encodings, by their numbers in parquet.thrift.
export const [PLAIN, RLE, RLE_DICTIONARY] = [0, 3, 8];

/** Integers of a row group are dictionary-encoded if their maximum and minimum differ by less than this. */
const MOST_IN_DICTIONARY = 1 << 16;

/** The encoded pages of a column. */
export interface Encoded {
  readonly encoding: number;
  readonly values: Uint8Array;
  /** `values` compressed with Snappy, if that is smaller */
  readonly packed?: Uint8Array | undefined;
  readonly dictionary?: { readonly size: number; readonly bytes: Uint8Array } | undefined;
  readonly bounds?: readonly [least: Uint8Array, most: Uint8Array] | undefined;
}

/** @param valid as returned by `presentRows` */
export function encodeColumn(column: WrittenColumn, valid: Uint8Array | undefined): Encoded {
  switch (column.kind) {
    case 'strings': {
      const { codes, offsets } = column;
      return inDictionary(codes, valid, 0, offsets.length - 1, (used) => plainStrings(used, column));
    }
    case 'booleans':
      return { encoding: PLAIN, values: bitsOf(present(column.values, valid)) };
    case 'numbers': {
      const { values } = column;
      if (values instanceof Int32Array) {
        const [least, most] = bounds(values);
        if (least <= most && most - least < MOST_IN_DICTIONARY)
          return inDictionary(values, valid, least, most - least + 1, bytesOf);
      }
      const written = present(values, valid);
      if (!(written instanceof Float64Array || written instanceof Float32Array)) {
        return { encoding: PLAIN, values: bytesOf(written) };
      }
      return {
        encoding: PLAIN,
        values: bytesOf(written),
        packed: packWords(written),
        bounds: floatBounds(written),
      };
    }
  }
}

/**
 * Encodes numbers as indices into a dictionary of the distinct values, in order of first appearance.
 * @param plain encodes the dictionary's values
 */
function inDictionary(
  values: Int32Array,
  valid: Uint8Array | undefined,
  least: number,
  range: number,
  plain: (used: Int32Array) => Uint8Array,
): Encoded {
  const written = present(values, valid);
  const codeOf = new Int32Array(range).fill(-1);
  const used = new Int32Array(Math.min(range, written.length));
  const codes = new Int32Array(written.length);
  let size = 0;
  for (let row = 0; row < written.length; row++) {
    const value = written[row]!;
    let code = codeOf[value - least]!;
    if (code < 0) {
      code = size++;
      codeOf[value - least] = code;
      used[code] = value;
    }
    codes[row] = code;
  }
  const dictionary = { size, bytes: plain(used.slice(0, size)) };
  return { encoding: RLE_DICTIONARY, values: bitPacked(codes, size), dictionary };
}

/** The index width, then a single bit-packed run of the hybrid encoding. @param size size of the dictionary */
function bitPacked(codes: Int32Array, size: number): Uint8Array {
  // Width 0 is valid, but some readers reject it.
  const width = Math.max(1, 32 - Math.clz32(Math.max(0, size - 1)));
  const groups = Math.ceil(codes.length / 8);
  const header = [width, ...(groups === 0 ? [] : varint(2 * groups + 1))];
  const bytes = new Uint8Array(header.length + groups * width);
  bytes.set(header);
  let [at, held, bits] = [header.length, 0, 0];
  for (const code of codes) {
    held |= code << bits;
    for (bits += width; bits >= 8; bits -= 8) {
      bytes[at++] = held;
      held >>>= 8;
    }
  }
  if (bits > 0) bytes[at] = held;
  return bytes;
}

/** Which rows have a value, as one-bit levels in the hybrid of run-length encoding and bit packing. */
export function definitionLevels(valid: Uint8Array | undefined, rows: number): Uint8Array {
  if (rows === 0) return new Uint8Array();
  const presentCount = valid === undefined ? rows : count(valid);
  if (presentCount === rows || presentCount === 0)
    return Uint8Array.from([...varint(2 * rows), presentCount === 0 ? 0 : 1]);
  const bits = bitsOf(valid!);
  return joinBytes([Uint8Array.from(varint(2 * bits.length + 1)), bits]);
}

/** 1 for each row with a value; undefined if all have one. */
export function presentRows(column: WrittenColumn): Uint8Array | undefined {
  if (column.kind !== 'strings') return column.valid;
  const { codes } = column;
  return codes.includes(-1) ? Uint8Array.from(codes, (code) => (code < 0 ? 0 : 1)) : undefined;
}

/** The values of the rows that are not null. */
function present<T extends Uint8Array | WrittenNumbers['values']>(
  values: T,
  valid: Uint8Array | undefined,
): T {
  if (valid === undefined) return values;
  // The `filter` methods of the typed arrays differ in the type of their callbacks.
  return (values as Uint8Array).filter((_, row) => valid[row] === 1) as T;
}

function count(valid: Uint8Array): number {
  let present = 0;
  for (const one of valid) present += one;
  return present;
}

function bitsOf(values: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 8));
  for (let row = 0; row < values.length; row++) bytes[row >> 3]! |= values[row]! << (row & 7);
  return bytes;
}

function bounds(values: Int32Array | Float64Array | Float32Array): [least: number, most: number] {
  let [least, most] = [Infinity, -Infinity];
  // A plain loop: iterators take ten times as long over arrays of several types.
  for (let row = values.length - 1; row >= 0; row--) {
    const value = values[row]!;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** Bounds as in Parquet statistics: NaN is ignored, and a bound of zero has the sign that includes both zeros. */
function floatBounds(values: Float64Array | Float32Array): Encoded['bounds'] {
  const [least, most] = bounds(values);
  if (least > most) return undefined;
  const plain = (value: number): Uint8Array =>
    bytesOf(values instanceof Float64Array ? Float64Array.of(value) : Float32Array.of(value));
  return [plain(least === 0 ? -0 : least), plain(most === 0 ? 0 : most)];
}

/** Each string after its length. */
function plainStrings(used: Int32Array, { bytes, offsets }: WrittenStrings): Uint8Array {
  const lengths = used.map((code) => offsets[code + 1]! - offsets[code]!);
  const plain = new Uint8Array(lengths.reduce((sum, length) => sum + 4 + length, 0));
  const view = new DataView(plain.buffer);
  let at = 0;
  used.forEach((code, k) => {
    view.setUint32(at, lengths[k]!, true);
    plain.set(bytes.subarray(offsets[code], offsets[code + 1]), at + 4);
    at += 4 + lengths[k]!;
  });
  return plain;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
