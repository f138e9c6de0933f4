import { ownArray, typeOf, type NewArray } from '../scoring/array-pool.ts';
import { countSlices, dealSlices, scaleOf, SLICES, sliceSorter, sortRows, startsOf } from './order.ts';
import type { Direction, FloatArray, Ordered } from './order.ts';
import { gather } from './gather.ts';

/** Values looked at between two pauses. */
const STEP = 1 << 20;

/** Rows dealt out to slices of the range of their values: the slices are in order, the rows of a slice are not yet. */
export interface PartitionedRows<T extends FloatArray> {
  readonly direction: Direction;
  /** Row and value at each place */
  readonly rows: Uint32Array;
  readonly values: T;
  /** Place of each row; those left out share one behind the last. */
  readonly places: Uint32Array;
  /** Where each slice ends. NaN comes behind the last. */
  readonly ends: Uint32Array;
  /** Rows of the largest slice */
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
export type DealtOrder = Pick<PartitionedRows<FloatArray>, 'places'> & Pick<SortedPlaces, 'inOrder'>;

/** {@link Ordered}, and what puts other values of the same rows in their order. */
export interface OrderedTogether<T extends FloatArray> extends Ordered<T> {
  /** Other values of each row, of arrays of one type. Yields some milliseconds of work apart. */
  others<U extends FloatArray>(arrays: readonly U[]): Generator<undefined, readonly U[], undefined>;
}

/**
 * As `sortRows`, for other values of each row to be put in the same order. Rows in order lie anywhere in the arrays, so
 * nearly every value that is looked up there would be waited for. Here they are dealt out to the same slices that the
 * sort begins with, front to back, and put in order slice by slice, in a core's own cache. Yields some milliseconds of
 * work apart.
 */
export function* sortWithPayload<T extends FloatArray>(
  values: T,
  direction: Direction,
  skip?: number,
): Generator<undefined, OrderedTogether<T>, undefined> {
  const dealt = yield* partition(values, direction, skip);
  if (dealt === undefined) {
    const sorted = sortRows(values, direction, skip);
    return { ...sorted, others: (arrays) => lookUpAll(arrays, sorted.rows) };
  }
  const sorted = placesFor(dealt);
  yield* sortSlices(dealt, 0, SLICES, sorted);
  const order = { places: dealt.places, inOrder: sorted.inOrder };
  return { rows: sorted.rows, values: dealt.values, others: (arrays) => reorder(arrays, order) };
}

/**
 * The first half of {@link sortWithPayload}: deals the rows out.
 *
 * @param newArray makes all arrays of what comes back, each with a buffer of its own
 * @returns undefined where values have no range that could be sliced
 */
export function* partition<T extends FloatArray>(
  values: T,
  direction: Direction,
  skip?: number,
  newArray: NewArray = ownArray,
): Generator<undefined, PartitionedRows<T> | undefined, undefined> {
  const scale = scaleOf(values, 0, values.length, SLICES, direction);
  if (scale === undefined) return undefined;
  yield;
  const ends = newArray(Uint32Array, SLICES + 1).fill(0);
  const count = countSlices(values, scale, skip, ends);
  const most = startsOf(ends);
  yield;
  const places = newArray(Uint32Array, values.length).fill(count);
  const rows = newArray(Uint32Array, count);
  const dealt = newArray(typeOf(values), count);
  dealSlices(values, scale, skip, ends, { rows, values: dealt }, places);
  yield;
  return { direction, rows, values: dealt, places, ends, most };
}

/** Room for {@link sortSlices}. */
export function placesFor(dealt: PartitionedRows<FloatArray>, newArray: NewArray = ownArray): SortedPlaces {
  const count = dealt.rows.length;
  return { inOrder: newArray(Uint32Array, count), rows: newArray(Uint32Array, count) };
}

/**
 * The second half of {@link sortWithPayload}: sorts slices `first .. end`, by themselves; what comes behind the last of all
 * goes with it. Yields some milliseconds of work apart.
 */
export function* sortSlices(
  dealt: PartitionedRows<FloatArray>,
  first: number,
  end: number,
  { inOrder, rows }: SortedPlaces,
): Generator<undefined, void, undefined> {
  const { ends, values, most, direction } = dealt;
  const begin = first === 0 ? 0 : ends[first - 1]!;
  // Places are sorted in place of rows.
  const sortSlice = sliceSorter({ rows: inOrder, values }, most, direction);
  for (let slice = first, start = begin, done = begin; slice < end; slice++) {
    const sliceEnd = ends[slice]!;
    numberPlaces(inOrder, start, sliceEnd);
    sortSlice(start, sliceEnd);
    start = sliceEnd;
    if (start - done < STEP && slice + 1 < end) continue;
    lookUp(dealt.rows, inOrder, done, start, rows);
    done = start;
    yield;
  }
  if (end < SLICES) return;
  const last = ends[SLICES - 1]!;
  numberPlaces(inOrder, last, rows.length);
  lookUp(dealt.rows, inOrder, last, rows.length, rows);
}

/**
 * Other values of each row, of arrays of one type, in the order of a sort; the arrays that come back are new, and this
 * thread's own. Yields some milliseconds of work apart.
 */
export function* reorder<T extends FloatArray>(
  arrays: readonly T[],
  { places, inOrder }: DealtOrder,
): Generator<undefined, readonly T[], undefined> {
  const found: T[] = [];
  let dealt: T | undefined;
  for (const values of arrays) {
    dealt ??= ownArray(typeOf(values), inOrder.length + 1);
    for (let row = 0; row < values.length; row += STEP) {
      deal(values, places, row, Math.min(row + STEP, values.length), dealt);
      yield;
    }
    found.push(gather(dealt, inOrder));
    yield;
  }
  return found;
}

function* lookUpAll<T extends FloatArray>(
  arrays: readonly T[],
  rows: Uint32Array,
): Generator<undefined, readonly T[], undefined> {
  const found: T[] = [];
  for (const values of arrays) {
    found.push(gather(values, rows));
    yield;
  }
  return found;
}

// The loops are functions of their own: engines leave loops inside generators half optimised.

function numberPlaces(places: Uint32Array, start: number, end: number): void {
  for (let at = start; at < end; at++) places[at] = at;
}

function deal(values: FloatArray, places: Uint32Array, first: number, end: number, to: FloatArray): void {
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
