import { radixArgsort } from './radix-argsort.ts';

export type FloatArray = Float64Array | Float32Array;

/** Row numbers in sorted order, and the values in that order. */
export interface Ordered<T extends FloatArray> {
  readonly rows: Uint32Array;
  readonly values: T;
}

export type Direction = 'ascending' | 'descending';

/** Buckets over the range of all values: few enough that the write positions stay in a core's own cache. */
export const BUCKETS = 1 << 10;
/** Most sub-buckets of one bucket, for the same reason. */
const MOST_SUB_BUCKETS = 1 << 16;
/** A sub-bucket with more rows than this is crowded. */
const CROWDED = 32;
/** Slightly less than 1, so that the largest value falls into the last bucket or sub-bucket and not past it. */
const SHORT_OF_ONE = 1 - 2 ** -50;

/**
 * Row numbers in ascending or descending order of their values: equal values (0 and -0 among them) keep their order,
 * NaN comes last either way.
 */
export function sortedOrder(values: FloatArray, direction: Direction): Uint32Array {
  return sortRows(values, direction).rows;
}

/**
 * As {@link sortedOrder}, with the values. Rows are partitioned over the range of the values twice, into buckets and
 * then, bucket by bucket, into sub-buckets of about one row each; the remaining work is small and local. Both times
 * memory is written front to back, whereas each pass of a radix sort waits for memory. A bucket in which values crowd
 * is sorted by their bits.
 *
 * @param skip leaves out rows 0, `skip`, 2 `skip`, ...
 */
export function sortRows<T extends FloatArray>(values: T, direction: Direction, skip?: number): Ordered<T> {
  const buckets = bucketsOf(values, direction, skip);
  const ends = new Uint32Array(BUCKETS + 1);
  const count = countBuckets(values, buckets, ends);
  const make = values.constructor as new (length: number) => T;
  const ordered = { rows: new Uint32Array(count), values: new make(count) };
  const most = startsOf(ends);
  fillBuckets(values, buckets, ends, ordered);
  const sortBucket = bucketSorter(ordered, most, direction);
  // After the last bucket comes NaN, in the order of the rows.
  for (let bucket = 0, start = 0; bucket < BUCKETS; bucket++) {
    const end = ends[bucket]!;
    sortBucket(start, end);
    start = end;
  }
  return ordered;
}

/** Sorts rows `start .. end` of `ordered` in place: none of them NaN, and at most `most` at a time. */
export function bucketSorter<T extends FloatArray>(
  ordered: Ordered<T>,
  most: number,
  direction: Direction,
): (start: number, end: number) => void {
  const make = ordered.values.constructor as new (length: number) => T;
  const subBuckets = new Uint32Array(Math.min(most, MOST_SUB_BUCKETS));
  const scratch = { rows: new Uint32Array(most), values: new make(most), subBuckets };
  return (start, end) => {
    sortBucket(ordered, start, end, direction, scratch);
  };
}

/** Maps a value to its place in the range: `(value - from) * factor` is below the number of parts, in sort order. */
interface Scale {
  readonly from: number;
  readonly factor: number;
}

/** How rows are assigned to buckets. */
export interface Buckets extends Scale {
  /** Rows 0, `skip`, 2 `skip`, ... are left out */
  readonly skip: number | undefined;
}

/** Buckets over the range of all values; if there is no range, the first holds all. */
export function bucketsOf(values: FloatArray, direction: Direction, skip?: number): Buckets {
  const scale = scaleOf(values, 0, values.length, BUCKETS, direction) ?? { from: 0, factor: 0 };
  return { ...scale, skip };
}

/** @returns undefined if the range is empty, a single value, or infinite */
function scaleOf(
  values: FloatArray,
  start: number,
  end: number,
  parts: number,
  direction: Direction,
): Scale | undefined {
  let [least, most] = [Infinity, -Infinity];
  for (let at = start; at < end; at++) {
    const value = values[at]!;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const factor = (parts * SHORT_OF_ONE) / (most - least);
  if (!(factor > 0 && factor < Infinity)) return undefined;
  return direction === 'ascending' ? { from: least, factor } : { from: most, factor: -factor };
}

/** Counts the rows of each bucket; NaN has the last count. @returns the total */
export function countBuckets(
  values: FloatArray,
  { from, factor, skip }: Buckets,
  counts: Uint32Array,
): number {
  let skipped = skip === undefined ? -1 : 0;
  let count = 0;
  for (let row = 0; row < values.length; row++) {
    if (row === skipped) {
      skipped += skip!;
      continue;
    }
    const value = values[row]!;
    counts[value === value ? ((value - from) * factor) | 0 : BUCKETS]!++;
    count++;
  }
  return count;
}

/**
 * Moves rows and values to their buckets, whose starts become their ends.
 *
 * @param places receives the new index of each row
 */
export function fillBuckets(
  values: FloatArray,
  { from, factor, skip }: Buckets,
  starts: Uint32Array,
  to: Ordered<FloatArray>,
  places?: Uint32Array,
): void {
  const { rows: toRows, values: toValues } = to;
  let skipped = skip === undefined ? -1 : 0;
  for (let row = 0; row < values.length; row++) {
    if (row === skipped) {
      skipped += skip!;
      continue;
    }
    const value = values[row]!;
    const at = starts[value === value ? ((value - from) * factor) | 0 : BUCKETS]!++;
    toRows[at] = row;
    toValues[at] = value;
    if (places !== undefined) places[row] = at;
  }
}

/** Turns counts into starts. @returns the largest count */
export function startsOf(counts: Uint32Array): number {
  let [start, most] = [0, 0];
  for (let part = 0; part < counts.length; part++) {
    const size = counts[part]!;
    if (size > most) most = size;
    counts[part] = start;
    start += size;
  }
  return most;
}

/** Scratch memory for sorting a bucket. */
interface Scratch extends Ordered<FloatArray> {
  readonly subBuckets: Uint32Array;
}

function sortBucket(
  ordered: Ordered<FloatArray>,
  start: number,
  end: number,
  direction: Direction,
  scratch: Scratch,
): void {
  const { rows, values } = ordered;
  const size = end - start;
  if (size < 2) return;
  const parts = Math.min(size, MOST_SUB_BUCKETS);
  const scale = scaleOf(values, start, end, parts, direction);
  // Sorted already. Values can differ and yet have no scale, if the inverse of their difference overflows.
  if (scale === undefined && allSame(values, start, end)) return;
  const counts = scratch.subBuckets.subarray(0, parts).fill(0);
  if (scale === undefined || countSubBuckets(values, start, end, scale, counts) > CROWDED) {
    const run = rows.slice(start, end);
    const runValues = values.slice(start, end);
    radixArgsort(runValues, direction).forEach((from, to) => {
      rows[start + to] = run[from]!;
      values[start + to] = runValues[from]!;
    });
    return;
  }
  fillSubBuckets(ordered, { start, end }, scale, counts, scratch);
  sortNearly(scratch, size, direction, ordered, start);
}

function allSame(values: FloatArray, start: number, end: number): boolean {
  for (let at = start + 1; at < end; at++) if (values[at] !== values[start]) return false;
  return true;
}

/** Computes where each sub-bucket starts. @returns rows of the fullest */
function countSubBuckets(
  values: FloatArray,
  start: number,
  end: number,
  { from, factor }: Scale,
  counts: Uint32Array,
): number {
  for (let at = start; at < end; at++) counts[((values[at]! - from) * factor) | 0]!++;
  return startsOf(counts);
}

function fillSubBuckets(
  { rows, values }: Ordered<FloatArray>,
  { start, end }: { readonly start: number; readonly end: number },
  { from, factor }: Scale,
  starts: Uint32Array,
  { rows: toRows, values: toValues }: Ordered<FloatArray>,
): void {
  for (let at = start; at < end; at++) {
    const value = values[at]!;
    const to = starts[((value - from) * factor) | 0]!++;
    toRows[to] = rows[at]!;
    toValues[to] = value;
  }
}

/** Insertion sort of `count` rows that are near their final positions, from one array to another. */
function sortNearly(
  { rows, values }: Ordered<FloatArray>,
  count: number,
  direction: Direction,
  { rows: toRows, values: toValues }: Ordered<FloatArray>,
  start: number,
): void {
  const sign = direction === 'ascending' ? 1 : -1;
  for (let at = 0; at < count; at++) {
    const value = values[at]!;
    let hole = start + at;
    for (; hole > start && sign * toValues[hole - 1]! > sign * value; hole--) {
      toValues[hole] = toValues[hole - 1]!;
      toRows[hole] = toRows[hole - 1]!;
    }
    toValues[hole] = value;
    toRows[hole] = rows[at]!;
  }
}
