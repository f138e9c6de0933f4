const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;
const LAST_KEY = 0xffffffff;
/** Runs up to this length are sorted by insertion. */
const SHORT_RUN = 32;

/**
 * Row numbers in ascending or descending order of their values: equal values (0 and -0 among them) keep their order,
 * NaN comes last either way. A radix sort on the bits of the numbers, because a comparison sort of millions of boxed
 * values takes seconds.
 */
export function sortedOrder(
  values: Float64Array | Float32Array,
  direction: 'ascending' | 'descending',
): Uint32Array {
  const { high, low } = sortableBits(values, direction === 'descending');
  let order = new Uint32Array(values.length);
  for (let row = 0; row < order.length; row++) order[row] = row;
  order = radixSort(order, high);
  // The upper halves decide nearly everything; rows that agree in them are sorted by the lower halves.
  for (let start = 0; start < order.length;) {
    const key = high[order[start]!]!;
    let end = start + 1;
    while (end < order.length && high[order[end]!] === key) end++;
    if (end - start > SHORT_RUN) order.set(radixSort(order.slice(start, end), low), start);
    else if (end - start > 1) insertionSort(order, start, end, low);
    start = end;
  }
  return order;
}

/** The bits of each number in two halves which compare, as unsigned integers, like the numbers do. */
function sortableBits(
  values: Float64Array | Float32Array,
  descending: boolean,
): { high: Uint32Array; low: Uint32Array } {
  const count = values.length;
  const high = new Uint32Array(count);
  const low = new Uint32Array(count);
  const number = new Float64Array(1);
  const bits = new Uint32Array(number.buffer);
  // Every platform that runs JavaScript engines today is little-endian: the upper half comes second.
  for (let row = 0; row < count; row++) {
    const value = values[row]!;
    if (value !== value) {
      high[row] = LAST_KEY;
      continue;
    }
    number[0] = value + 0; // -0 + 0 is 0
    const flip = bits[1]! & 0x80000000 ? 0xffffffff : 0;
    const invert = descending ? 0xffffffff : 0;
    high[row] = bits[1]! ^ flip ^ (flip === 0 ? 0x80000000 : 0) ^ invert;
    low[row] = bits[0]! ^ flip ^ invert;
  }
  return { high, low };
}

/** Stable sort of row numbers by 32-bit keys, eleven bits at a time; passes that would move nothing are left out. */
function radixSort(rows: Uint32Array<ArrayBuffer>, keys: Uint32Array): Uint32Array<ArrayBuffer> {
  let from = rows;
  let to = new Uint32Array(rows.length);
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const starts = new Uint32Array(BUCKETS);
    for (const row of from) starts[(keys[row]! >>> shift) & (BUCKETS - 1)]!++;
    if (starts.includes(rows.length)) continue;
    let start = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = starts[bucket]!;
      starts[bucket] = start;
      start += count;
    }
    for (const row of from) to[starts[(keys[row]! >>> shift) & (BUCKETS - 1)]!++] = row;
    [from, to] = [to, from];
  }
  return from;
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
