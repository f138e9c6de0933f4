import { varint } from './thrift.ts';

/** log2 of the hash table's length: its 16 KiB stay in the first-level cache. */
const HASH_BITS = 12;
/** Largest distance of a copy with a two-byte offset */
const MOST_OFFSET = 0xffff;
const MOST_COPY = 64;
/** Smaller inputs are not worth compressing. */
const LEAST_BYTES = 64;

/**
 * Compresses numbers to a Snappy block (format_description.txt of Snappy). Only repeats of complete numbers, NaN
 * included, are searched for: these are what repeats in a column, and searching at every byte takes ten times as long.
 *
 * @returns undefined if it would not be smaller
 */
export function packWords(values: Float64Array | Float32Array): Uint8Array | undefined {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: size } = values;
  if (byteLength < LEAST_BYTES) return undefined;
  const input = new Uint8Array(buffer, byteOffset, byteLength);
  const halves = new Uint32Array(buffer, byteOffset, byteLength / 4);
  const step = size / 4;
  if (!repeats(halves, step)) return undefined;
  const seen = new Int32Array(1 << HASH_BITS).fill(-1);
  const output = new Uint8Array(byteLength);
  output.set(varint(byteLength));
  // The last element, the literal's tag and its content must fit as well.
  let [to, literal] = [varint(byteLength).length, 0];
  const fits = (end: number): boolean => to + 5 + (end - literal) + 3 < byteLength;
  const emitLiteral = (end: number): void => {
    if (end === literal) return;
    to = literalTag(output, to, end - literal);
    output.set(input.subarray(literal, end), to);
    to += end - literal;
  };
  for (let at = 0; at < halves.length;) {
    const low = halves[at]!;
    const high = step === 2 ? halves[at + 1]! : 0;
    const hash = hashOf(low, high);
    const from = seen[hash]!;
    seen[hash] = at;
    const found =
      from >= 0 &&
      4 * (at - from) <= MOST_OFFSET &&
      halves[from] === low &&
      (step === 1 || halves[from + 1] === high);
    if (!found) {
      at += step;
      continue;
    }
    let end = at + step;
    while (end < halves.length && halves[end] === halves[end - at + from]) end++;
    end -= (end - at) % step;
    if (!fits(4 * at)) return undefined;
    emitLiteral(4 * at);
    const offset = 4 * (at - from);
    for (let left = 4 * (end - at); left > 0; left -= MOST_COPY) {
      if (to + 3 >= byteLength) return undefined;
      output[to++] = 2 | ((Math.min(left, MOST_COPY) - 1) << 2);
      output[to++] = offset & 0xff;
      output[to++] = offset >>> 8;
    }
    at = end;
    literal = 4 * end;
  }
  if (!fits(byteLength)) return undefined;
  emitLiteral(byteLength);
  return output.subarray(0, to);
}

/** Number of places that are sampled, and of consecutive elements at each. */
const [PLACES, RUN] = [16, 64];
/** Compression is worth it if one element in this many repeats. */
const LEAST_SHARE = 16;

/** Whether elements of a sample repeat; always true for few. Testing all would take as long as the rest of a column. */
function repeats(halves: Uint32Array, step: number): boolean {
  const elements = halves.length / step;
  if (elements < 4 * PLACES * RUN) return true;
  const seen = new Int32Array(1 << HASH_BITS).fill(-1);
  let found = 0;
  for (let place = 0; place < PLACES; place++) {
    const first = Math.floor((place * (elements - RUN)) / (PLACES - 1));
    for (let at = first * step; at < (first + RUN) * step; at += step) {
      const low = halves[at]!;
      const high = step === 2 ? halves[at + 1]! : 0;
      const hash = hashOf(low, high);
      const from = seen[hash]!;
      seen[hash] = at;
      if (from >= 0 && halves[from] === low && (step === 1 || halves[from + 1] === high)) found++;
    }
  }
  return found * LEAST_SHARE >= PLACES * RUN;
}

function hashOf(low: number, high: number): number {
  return (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> (32 - HASH_BITS);
}

/** @returns the offset of the literal's bytes */
function literalTag(output: Uint8Array, to: number, length: number): number {
  const last = length - 1;
  if (last < 60) {
    output[to++] = last << 2;
    return to;
  }
  const bytes = last < 1 << 8 ? 1 : last < 1 << 16 ? 2 : last < 1 << 24 ? 3 : 4;
  output[to++] = (59 + bytes) << 2;
  for (let byte = 0; byte < bytes; byte++) output[to++] = last >>> (8 * byte);
  return to;
}
