import { deltaBinaryUnpack, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import type { DecodedArray, Encoding, SchemaElement } from 'hyparquet/src/types.js';

/**
 * Decodes the values of a page that is not dictionary-encoded, with hyparquet. Here `count` is at most the file's
 * number of rows.
 *
 * @param bytes the values, in a buffer of their own: hyparquet reads to the end of the buffer
 * @throws Error for damaged bytes
 */
export function decodeValues(
  bytes: Uint8Array,
  encoding: Encoding,
  count: number,
  { type, type_length: typeLength }: SchemaElement,
): DecodedArray {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  if (count === 0) return [];
  switch (encoding) {
    case 'PLAIN':
      return readPlain(reader, type!, count, typeLength);
    case 'RLE': {
      if (type !== 'BOOLEAN')
        throw new Error(`its ${type} values are run-length encoded, which only booleans can be`);
      const values = new Uint8Array(count);
      readHybrid(bytes, 4, 1, values);
      return values;
    }
    case 'BYTE_STREAM_SPLIT':
      return byteStreamSplit(reader, count, type!, typeLength);
    case 'DELTA_BINARY_PACKED': {
      const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
      deltaBinaryUnpack(reader, count, values);
      return values;
    }
    case 'DELTA_LENGTH_BYTE_ARRAY': {
      const values = new Array<Uint8Array>(count);
      deltaLengthByteArray(reader, count, values);
      return values;
    }
    case 'DELTA_BYTE_ARRAY':
      return deltaByteArrays(bytes, reader, count);
    default:
      throw new Error(`its encoding ${encoding} is unknown`);
  }
}

/** Strings that each share a prefix with the one before. */
function deltaByteArrays(
  bytes: Uint8Array,
  reader: { view: DataView; offset: number },
  count: number,
): Uint8Array[] {
  const [shared, further] = [new Int32Array(count), new Int32Array(count)];
  deltaBinaryUnpack(reader, count, shared);
  deltaBinaryUnpack(reader, count, further);
  const values: Uint8Array[] = [];
  let before: Uint8Array = new Uint8Array();
  for (let row = 0; row < count; row++) {
    const [prefix, length] = [shared[row]!, further[row]!];
    const end = reader.offset + length;
    if (prefix < 0 || prefix > before.length || length < 0 || end > bytes.length) {
      throw new Error('a string extends beyond its page');
    }
    const value = new Uint8Array(prefix + length);
    value.set(before.subarray(0, prefix));
    value.set(bytes.subarray(reader.offset, end), prefix);
    values.push(value);
    reader.offset = end;
    before = value;
  }
  return values;
}

/**
 * Fills an array from the hybrid of run-length encoding and bit packing, never beyond its end: hyparquet's decoder
 * writes as many values as a run claims.
 *
 * @param start offset of the encoded bytes
 * @param width bits per value, at most 32
 * @throws RangeError if the bytes end before the array is full
 */
export function readHybrid(
  bytes: Uint8Array,
  start: number,
  width: number,
  into: Uint8Array | Int32Array,
): void {
  if (width > 32) throw new RangeError(`its indices have ${width} bits, but at most 32 are possible`);
  let at = start;
  let filled = 0;
  const next = (): number => {
    const byte = bytes[at++];
    if (byte === undefined) throw new RangeError('a page ends before its values');
    return byte;
  };
  while (filled < into.length) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = next();
      header += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
      if (shift > 28) throw new RangeError('a run has no length');
    }
    if (header % 2 === 0) {
      let value = 0;
      for (let shift = 0; shift < width; shift += 8) value |= next() << shift;
      const end = Math.min(filled + header / 2, into.length);
      into.fill(value, filled, end);
      filled = end;
      continue;
    }
    const groupBytes = ((header - 1) / 2) * width;
    const count = Math.min((header - 1) * 4, into.length - filled);
    if (at + Math.ceil((count * width) / 8) > bytes.length)
      throw new RangeError('a page ends before its values');
    unpackBits(bytes, at, width, into.subarray(filled, filled + count));
    filled += count;
    at += groupBytes;
  }
}

/** Unpacks values of `width` bits each, lowest bits first, without gaps. */
function unpackBits(bytes: Uint8Array, start: number, width: number, into: Uint8Array | Int32Array): void {
  const mask = -1 >>> (32 - width);
  let at = start;
  /** Unread bits of the last byte, and their number */
  let [rest, left] = [0, 0];
  for (let k = 0; k < into.length; k++) {
    let value = rest;
    rest >>>= width;
    left -= width;
    while (left < 0) {
      const byte = bytes[at++]!;
      value |= byte << (left + width);
      left += 8;
      rest = byte >>> (8 - left);
    }
    into[k] = value & mask;
  }
}
