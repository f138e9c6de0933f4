import { ownArray, typeOf, type NewArray } from '../scoring/array-pool.ts';
import { bucketsOf, bucketSorter, BUCKETS, countBuckets, fillBuckets, startsOf } from './order.ts';
import type { Direction, FloatArray } from './order.ts';
import { gather } from './gather.ts';

/** Values looked at between two pauses. */
const STEP = 1 << 20;

/** Rows put into buckets of the range of their values: the buckets are in order, the rows of a bucket are not yet. */
export interface PartitionedRows<T extends FloatArray> {
  readonly direction: Direction;
  /** Row and value at each place */
  readonly rows: Uint32Array;
  readonly values: T;
  /** Place of each row; those left out share one behind the last. */
  readonly places: Uint32Array;
  /** Where each bucket ends. NaN comes behind the last. */
  readonly ends: Uint32Array;
  /** Rows of the largest bucket */
  readonly most: number;
}

/** What comes of sorting {@link PartitionedRows}, beside their values, which are sorted where they are. */
export interface SortedPlaces {
  /** The places in order */
  readonly inOrder: Uint32Array;
  /** The rows in order */
  readonly rows: Uint32Array;
}

/** What puts other values of the same rows in the order of a sort. */
export type BucketOrder = Pick<PartitionedRows<FloatArray>, 'places'> & Pick<SortedPlaces, 'inOrder'>;

/**
 * Puts rows into buckets of the range of their values, front to back. Rows in order lie anywhere in the arrays, so that nearly
 * every other value of a row that is looked up there would be waited for; {@link reorder} puts other values into the same
 * buckets, and in order bucket by bucket, in a core's own cache. Yields some milliseconds of work apart.
 *
 * @param skip leaves out rows 0, `skip`, 2 `skip`, ...
 * @param newArray makes all arrays of what comes back, each with a buffer of its own
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

/** Room for {@link sortBuckets}. */
export function placesFor(
  partitioned: PartitionedRows<FloatArray>,
  newArray: NewArray = ownArray,
): SortedPlaces {
  const count = partitioned.rows.length;
  return { inOrder: newArray(Uint32Array, count), rows: newArray(Uint32Array, count) };
}

/**
 * Sorts buckets `first .. end`, each by itself; what comes behind the last of all goes with it. Yields some milliseconds of work apart.
 */
export function* sortBuckets(
  partitioned: PartitionedRows<FloatArray>,
  first: number,
  end: number,
  { inOrder, rows }: SortedPlaces,
): Generator<undefined, void, undefined> {
  const { ends, values, most, direction } = partitioned;
  const begin = first === 0 ? 0 : ends[first - 1]!;
  // Places are sorted in place of rows.
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
 * Other values of each row, of arrays of one type, in the order of a sort; the arrays that come back are new, and this
 * thread's own. Yields some milliseconds of work apart.
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
