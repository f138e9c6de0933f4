import { countSlices, dealSlices, scaleOf, SLICES, sliceSorter, sortRows, startsOf } from './order.ts';
import type { Direction, FloatArray, Ordered } from './order.ts';
import { pick } from './pick.ts';

/** Values looked at between two pauses. */
const STEP = 1 << 20;

/** {@link Ordered}, and what puts other values of the same rows in their order. */
export interface OrderedTogether<T extends FloatArray> extends Ordered<T> {
  /** Other values of each row, of arrays of one type. Yields some milliseconds of work apart. */
  others<U extends FloatArray>(arrays: readonly U[]): Generator<undefined, U[], undefined>;
}

/**
 * As `sortRows`, for other values of each row to be put in the same order. Rows in order lie anywhere in the arrays, so
 * nearly every value that is looked up there would be waited for. Here they are dealt out to the same slices that the
 * sort begins with, front to back, and put in order slice by slice, in a core's own cache. Yields some milliseconds of
 * work apart.
 */
export function* sortTogether<T extends FloatArray>(
  values: T,
  direction: Direction,
  skip?: number,
): Generator<undefined, OrderedTogether<T>, undefined> {
  const scale = scaleOf(values, 0, values.length, SLICES, direction);
  if (scale === undefined) {
    const sorted = sortRows(values, direction, skip);
    return { ...sorted, others: (arrays) => looking(arrays, sorted.rows) };
  }
  const ends = new Uint32Array(SLICES + 1);
  const count = countSlices(values, scale, skip, ends);
  const most = startsOf(ends);
  yield;
  const make = values.constructor as new (length: number) => T;
  // Where each row has been dealt to; those left out share a place behind the last.
  const places = new Uint32Array(values.length).fill(count);
  const dealtRows = new Uint32Array(count);
  // Places are sorted in place of rows.
  const sorted = { rows: new Uint32Array(count), values: new make(count) };
  dealSlices(values, scale, skip, ends, { rows: dealtRows, values: sorted.values }, places);
  yield;
  numberPlaces(sorted.rows);
  const sortSlice = sliceSorter<T>(sorted, most, direction);
  for (let slice = 0, start = 0, paused = 0; slice < SLICES; slice++) {
    const end = ends[slice]!;
    sortSlice(start, end);
    start = end;
    if (end - paused < STEP) continue;
    paused = end;
    yield;
  }
  return {
    rows: lookedUp(dealtRows, sorted.rows),
    values: sorted.values,
    others: (arrays) => dealing(arrays, places, sorted.rows),
  };
}

function* looking<U extends FloatArray>(
  arrays: readonly U[],
  rows: Uint32Array,
): Generator<undefined, U[], undefined> {
  const found: U[] = [];
  for (const values of arrays) {
    found.push(pick(values, rows));
    yield;
  }
  return found;
}

function* dealing<U extends FloatArray>(
  arrays: readonly U[],
  places: Uint32Array,
  inOrder: Uint32Array,
): Generator<undefined, U[], undefined> {
  const found: U[] = [];
  let dealt: U | undefined;
  for (const values of arrays) {
    dealt ??= new (values.constructor as new (length: number) => U)(inOrder.length + 1);
    for (let row = 0; row < values.length; row += STEP) {
      deal(values, places, row, Math.min(row + STEP, values.length), dealt);
      yield;
    }
    found.push(pick(dealt, inOrder));
    yield;
  }
  return found;
}

// The loops are functions of their own: engines leave loops inside generators half optimised.

function numberPlaces(places: Uint32Array): void {
  for (let at = 0; at < places.length; at++) places[at] = at;
}

function deal(values: FloatArray, places: Uint32Array, first: number, end: number, to: FloatArray): void {
  for (let row = first; row < end; row++) to[places[row]!] = values[row]!;
}

/** `rows[places[at]]` for each `at`. */
function lookedUp(rows: Uint32Array, places: Uint32Array): Uint32Array<ArrayBuffer> {
  const found = new Uint32Array(places.length);
  for (let at = 0; at < places.length; at++) found[at] = rows[places[at]!]!;
  return found;
}
