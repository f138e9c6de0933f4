import { varint } from './thrift.ts';

/** Places of the hash table: its 16 KiB stay in the first cache. */
const HASH_BITS = 12;
/** How far back a copy of two bytes' offset reaches */
const MOST_OFFSET = 0xffff;
const MOST_COPY = 64;
/** Less is not worth it. */
const LEAST_BYTES = 64;

/**
 * Packs numbers as a Snappy block (format_description.txt of Snappy). What repeats in a column of numbers is whole numbers,
 * NaN among them: only those are looked for, which takes a tenth of the time of looking at every byte.
 *
 * @returns undefined where it would not be smaller
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
  // The last element, a literal's tag and what it holds, must find room as well.
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

/** Where a sample is taken, and how many elements follow one another there. */
const [PLACES, RUN] = [16, 64];
/** One element in so many that repeats is worth packing. */
const LEAST_SHARE = 16;

/** Whether elements of a sample repeat; of few elements, always. Looking at all takes as long as the rest of a column. */
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

/** @returns where the literal's bytes begin */
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
