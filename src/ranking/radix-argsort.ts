const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;
const SIGN = 0x80000000;
const LAST_KEY = 0xffffffff;
/** Runs up to this length are sorted by insertion. */
const SHORT_RUN = 32;

/**
 * Row numbers in ascending or descending order of their values, like `sortedOrder`, for any distribution of values: a
 * radix sort on the bits of the numbers, because a comparison sort of millions of boxed values takes seconds.
 */
export function radixArgsort(
  values: Float64Array | Float32Array,
  direction: 'ascending' | 'descending',
): Uint32Array<ArrayBuffer> {
  const { high, low } = sortableBits(new Float64Array(values), direction === 'descending' ? LAST_KEY : 0);
  const order = new Uint32Array(values.length);
  for (let row = 0; row < order.length; row++) order[row] = row;
  // The upper halves decide nearly everything; rows that agree in them are sorted by the lower halves.
  const { rows, keys } = radixSort({ rows: order, keys: high });
  for (let start = 0; start < rows.length;) {
    const key = keys[start]!;
    let end = start + 1;
    while (end < rows.length && keys[end] === key) end++;
    if (end - start > SHORT_RUN) {
      const run = rows.slice(start, end);
      rows.set(radixSort({ rows: run, keys: run.map((row) => low[row]!) }).rows, start);
    } else if (end - start > 1) {
      insertionSort(rows, start, end, low);
    }
    start = end;
  }
  return rows;
}

/**
 * The bits of each number in two halves that compare, as unsigned integers, like the numbers (or, with all bits
 * inverted, in reverse).
 */
function sortableBits(
  values: Float64Array,
  invert: number,
): { high: Uint32Array<ArrayBuffer>; low: Uint32Array } {
  // Every platform that runs JavaScript today is little-endian: the upper half comes second.
  const bits = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  const high = new Uint32Array(values.length);
  const low = new Uint32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const upper = bits[2 * row + 1]!;
    const lower = bits[2 * row]!;
    if (values[row] !== values[row]) {
      high[row] = LAST_KEY;
    } else if (upper < SIGN || (upper === SIGN && lower === 0)) {
      // Zero and up, -0 as 0: above all negative numbers.
      high[row] = (upper | SIGN) ^ invert;
      low[row] = lower ^ invert;
    } else {
      // Below zero: the larger the bits, the smaller the number.
      high[row] = ~upper ^ invert;
      low[row] = ~lower ^ invert;
    }
  }
  return { high, low };
}

/** Row numbers, and the key of each. */
interface Keyed {
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly keys: Uint32Array<ArrayBuffer>;
}

/**
 * Stable sort by 32-bit keys, eleven bits at a time. Keys move along with their rows: reading them in order costs less
 * than half as much as looking them up. Passes that would move nothing are skipped. The input is overwritten.
 */
function radixSort(input: Keyed): Keyed {
  const count = input.rows.length;
  let from = input;
  let to: Keyed = { rows: new Uint32Array(count), keys: new Uint32Array(count) };
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const starts = bucketStarts(from.keys, shift);
    if (starts === undefined) continue;
    scatter(from, to, starts, shift);
    [from, to] = [to, from];
  }
  return from;
}

/** Where each bucket of a pass starts; undefined if all keys fall into one. */
function bucketStarts(keys: Uint32Array, shift: number): Uint32Array | undefined {
  const starts = new Uint32Array(BUCKETS);
  const count = keys.length;
  for (let at = 0; at < count; at++) starts[(keys[at]! >>> shift) & (BUCKETS - 1)]!++;
  if (starts.includes(count)) return undefined;
  let start = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const size = starts[bucket]!;
    starts[bucket] = start;
    start += size;
  }
  return starts;
}

function scatter(from: Keyed, to: Keyed, starts: Uint32Array, shift: number): void {
  const { rows, keys } = from;
  const { rows: toRows, keys: toKeys } = to;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at]!;
    const target = starts[(key >>> shift) & (BUCKETS - 1)]!++;
    toRows[target] = rows[at]!;
    toKeys[target] = key;
  }
}

function insertionSort(order: Uint32Array, start: number, end: number, keys: Uint32Array): void {
  for (let at = start + 1; at < end; at++) {
    const row = order[at]!;
    const key = keys[row]!;
    let hole = at;
    for (; hole > start && keys[order[hole - 1]!]! > key; hole--) order[hole] = order[hole - 1]!;
    order[hole] = row;
  }
}
