import { radixArgsort } from './radix-argsort.ts';
import { gather } from './gather.ts';

export type FloatArray = Float64Array | Float32Array;

/** Row numbers in the order of their values, and the values in that order. */
export interface Ordered<T extends FloatArray> {
  readonly rows: Uint32Array;
  readonly values: T;
}

export type Direction = 'ascending' | 'descending';

/** Slices of the range of all values: few enough that the places they are written to stay in a core's own cache. */
export const SLICES = 1 << 10;
/** Cells of one slice at most, for the same reason. */
const MOST_CELLS = 1 << 16;
/** A cell with more rows than this is crowded. */
const CROWDED = 32;
/** A little less than 1, so that the largest value falls into the last slice or cell and not past it. */
const SHORT_OF_ONE = 1 - 2 ** -50;

/**
 * Row numbers in ascending or descending order of their values: equal values (0 and -0 among them) keep their order,
 * NaN comes last either way.
 */
export function sortedOrder(values: FloatArray, direction: Direction): Uint32Array {
  return sortRows(values, direction).rows;
}

/**
 * As {@link sortedOrder}, with the values. Rows are dealt out over the range of the values twice, into slices and then,
 * slice by slice, into cells of about one row each; what is left to do is little and near. Memory is written front to
 * back both times, where each pass of a radix sort waits for it. A slice in which values crowd is sorted by their bits.
 *
 * @param skip leaves out rows 0, `skip`, 2 `skip`, ...
 */
export function sortRows<T extends FloatArray>(values: T, direction: Direction, skip?: number): Ordered<T> {
  const scale = scaleOf(values, 0, values.length, SLICES, direction);
  if (scale === undefined) {
    const all = radixArgsort(values, direction);
    const rows = skip === undefined ? all : all.filter((row) => row % skip !== 0);
    return { rows, values: gather(values, rows) };
  }
  const ends = new Uint32Array(SLICES + 1);
  const count = countSlices(values, scale, skip, ends);
  const make = values.constructor as new (length: number) => T;
  const ordered = { rows: new Uint32Array(count), values: new make(count) };
  const most = startsOf(ends);
  dealSlices(values, scale, skip, ends, ordered);
  const sortSlice = sliceSorter(ordered, most, direction);
  // After the last slice comes NaN, in the order of the rows.
  for (let slice = 0, start = 0; slice < SLICES; slice++) {
    const end = ends[slice]!;
    sortSlice(start, end);
    start = end;
  }
  return ordered;
}

/** Sorts rows `start .. end` of `ordered` in place, none of them NaN and no more than `most` at a time. */
export function sliceSorter<T extends FloatArray>(
  ordered: Ordered<T>,
  most: number,
  direction: Direction,
): (start: number, end: number) => void {
  const make = ordered.values.constructor as new (length: number) => T;
  const cells = new Uint32Array(Math.min(most, MOST_CELLS));
  const scratch = { rows: new Uint32Array(most), values: new make(most), cells };
  return (start, end) => {
    sortSlice(ordered, start, end, direction, scratch);
  };
}

/** Numbers a value's place in the range: `(value - from) * factor` is below the number of parts, and rises in order. */
export interface Scale {
  readonly from: number;
  readonly factor: number;
}

/** @returns undefined where the range is empty, a single value, or has no end */
export function scaleOf(
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

/** How many rows each slice has; NaN counts as the last one. @returns rows in all */
export function countSlices(
  values: FloatArray,
  { from, factor }: Scale,
  skip: number | undefined,
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
    counts[value === value ? ((value - from) * factor) | 0 : SLICES]!++;
    count++;
  }
  return count;
}

/**
 * Moves rows and values to their slices, the starts of which become their ends.
 *
 * @param places receives where each row has been moved to
 */
export function dealSlices(
  values: FloatArray,
  { from, factor }: Scale,
  skip: number | undefined,
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
    const at = starts[value === value ? ((value - from) * factor) | 0 : SLICES]!++;
    toRows[at] = row;
    toValues[at] = value;
    if (places !== undefined) places[row] = at;
  }
}

/** Turns counts into starts. @returns the largest of the counts */
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

/** Room for sorting a slice. */
interface Scratch extends Ordered<FloatArray> {
  readonly cells: Uint32Array;
}

function sortSlice(
  ordered: Ordered<FloatArray>,
  start: number,
  end: number,
  direction: Direction,
  scratch: Scratch,
): void {
  const { rows, values } = ordered;
  const size = end - start;
  if (size < 2) return;
  const parts = Math.min(size, MOST_CELLS);
  const scale = scaleOf(values, start, end, parts, direction);
  // In order already. Values can differ and yet have no scale, by less than a number can tell the inverse of.
  if (scale === undefined && allSame(values, start, end)) return;
  const counts = scratch.cells.subarray(0, parts).fill(0);
  if (scale === undefined || fillCells(values, start, end, scale, counts) > CROWDED) {
    const run = rows.slice(start, end);
    const runValues = values.slice(start, end);
    radixArgsort(runValues, direction).forEach((from, to) => {
      rows[start + to] = run[from]!;
      values[start + to] = runValues[from]!;
    });
    return;
  }
  dealCells(ordered, start, end, scale, counts, scratch);
  sortNearly(scratch, size, direction, ordered, start);
}

function allSame(values: FloatArray, start: number, end: number): boolean {
  for (let at = start + 1; at < end; at++) if (values[at] !== values[start]) return false;
  return true;
}

/** Where each cell starts. @returns rows of the fullest */
function fillCells(
  values: FloatArray,
  start: number,
  end: number,
  { from, factor }: Scale,
  counts: Uint32Array,
): number {
  for (let at = start; at < end; at++) counts[((values[at]! - from) * factor) | 0]!++;
  return startsOf(counts);
}

function dealCells(
  { rows, values }: Ordered<FloatArray>,
  start: number,
  end: number,
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

/** Sorts by insertion `count` rows that are near their places, from one array to another. */
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
