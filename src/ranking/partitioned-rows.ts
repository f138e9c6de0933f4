import { ownArray, typeOf, type NewArray } from '../scoring/array-pool.ts';
import { bucketsOf, bucketSorter, BUCKETS, countBuckets, fillBuckets, startsOf } from './order.ts';
import type { Direction, FloatArray } from './order.ts';
import { gather } from './gather.ts';

/** Values processed between two yields. */
const STEP = 1 << 20;

/** Rows in buckets over the range of their values: the buckets are sorted, the rows within a bucket not yet. */
export interface PartitionedRows<T extends FloatArray> {
  readonly direction: Direction;
  /** Row and value at each position */
  readonly rows: Uint32Array;
  readonly values: T;
  /** Position of each row; rows that are left out share the one after the last. */
  readonly places: Uint32Array;
  /** Where each bucket ends. NaN follows the last. */
  readonly ends: Uint32Array;
  /** Rows of the largest bucket */
  readonly most: number;
}

/** The result of sorting {@link PartitionedRows}, besides their values, which are sorted in place. */
export interface SortedPlaces {
  /** The positions, sorted */
  readonly inOrder: Uint32Array;
  /** The rows, sorted */
  readonly rows: Uint32Array;
}

/** Sorts other values of the same rows alike; see {@link reorder}. */
export type BucketOrder = Pick<PartitionedRows<FloatArray>, 'places'> & Pick<SortedPlaces, 'inOrder'>;

/**
 * Moves rows to buckets over the range of their values, front to back. The sorted rows lie anywhere in the arrays, so
 * nearly every lookup of another value of a row would miss the cache; {@link reorder} moves other values to the same
 * buckets, and then sorts bucket by bucket, in a core's own cache. Yields some milliseconds of work apart.
 *
 * @param skip leaves out rows 0, `skip`, 2 `skip`, ...
 * @param newArray allocates all returned arrays, each with a buffer of its own
 */
export function* partition<T extends FloatArray>(
  values: T,
  direction: Direction,
  skip?: number,
  newArray: NewArray = ownArray,
): Generator<undefined, PartitionedRows<T>, undefined> {
  const buckets = bucketsOf(values, direction, skip);
  yield;
  const ends = newArray(Uint32Array, BUCKETS + 1).fill(0);
  const count = countBuckets(values, buckets, ends);
  const most = startsOf(ends);
  yield;
  const places = newArray(Uint32Array, values.length).fill(count);
  const rows = newArray(Uint32Array, count);
  const partitioned = newArray(typeOf(values), count);
  fillBuckets(values, buckets, ends, { rows, values: partitioned }, places);
  yield;
  return { direction, rows, values: partitioned, places, ends, most };
}

/** Allocates the output of {@link sortBuckets}. */
export function placesFor(
  partitioned: PartitionedRows<FloatArray>,
  newArray: NewArray = ownArray,
): SortedPlaces {
  const count = partitioned.rows.length;
  return { inOrder: newArray(Uint32Array, count), rows: newArray(Uint32Array, count) };
}

/**
 * Sorts buckets `first .. end`, each by itself; the last bucket includes the NaN rows. Yields some milliseconds of work
 * apart.
 */
export function* sortBuckets(
  partitioned: PartitionedRows<FloatArray>,
  first: number,
  end: number,
  { inOrder, rows }: SortedPlaces,
): Generator<undefined, void, undefined> {
  const { ends, values, most, direction } = partitioned;
  const begin = first === 0 ? 0 : ends[first - 1]!;
  // Positions are sorted instead of rows.
  const sortBucket = bucketSorter({ rows: inOrder, values }, most, direction);
  for (let bucket = first, start = begin, done = begin; bucket < end; bucket++) {
    const bucketEnd = ends[bucket]!;
    numberPlaces(inOrder, start, bucketEnd);
    sortBucket(start, bucketEnd);
    start = bucketEnd;
    if (start - done < STEP && bucket + 1 < end) continue;
    lookUp(partitioned.rows, inOrder, done, start, rows);
    done = start;
    yield;
  }
  if (end < BUCKETS) return;
  const last = ends[BUCKETS - 1]!;
  numberPlaces(inOrder, last, rows.length);
  lookUp(partitioned.rows, inOrder, last, rows.length, rows);
}

/**
 * Other values of each row, from arrays of one type, in sorted order; the returned arrays are new and belong to this
 * thread. Yields some milliseconds of work apart.
 */
export function* reorder<T extends FloatArray>(
  arrays: readonly T[],
  { places, inOrder }: BucketOrder,
): Generator<undefined, readonly T[], undefined> {
  const found: T[] = [];
  let partitioned: T | undefined;
  for (const values of arrays) {
    partitioned ??= ownArray(typeOf(values), inOrder.length + 1);
    for (let row = 0; row < values.length; row += STEP) {
      scatter(values, places, row, Math.min(row + STEP, values.length), partitioned);
      yield;
    }
    found.push(gather(partitioned, inOrder));
    yield;
  }
  return found;
}

// The loops are functions of their own: engines leave loops inside generators half optimised.

function numberPlaces(places: Uint32Array, start: number, end: number): void {
  for (let at = start; at < end; at++) places[at] = at;
}

function scatter(values: FloatArray, places: Uint32Array, first: number, end: number, to: FloatArray): void {
  for (let row = first; row < end; row++) to[places[row]!] = values[row]!;
}

/** `rows[places[at]]` for each `at` of a range. */
function lookUp(
  rows: Uint32Array,
  places: Uint32Array,
  start: number,
  end: number,
  found: Uint32Array,
): void {
  for (let at = start; at < end; at++) found[at] = rows[places[at]!]!;
}
