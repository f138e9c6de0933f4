/** `values[at[k]]` for each k, in an array of the same type. */
export function gather<T extends Float64Array | Float32Array>(values: T, at: Uint32Array): T {
  const picked = new (values.constructor as new (length: number) => T)(at.length);
  for (let k = 0; k < at.length; k++) picked[k] = values[at[k]!]!;
  return picked;
}

/**
 * Places of a block, but no more than so many blocks: a block, and one place of every block, fit a core's own cache. Blocks
 * of 2^11 took a third longer, because so many more pages are written to at once.
 */
const BLOCK_BITS = 15;
const MOST_BLOCKS = 1 << 11;
const NOWHERE = 0xffff_ffff;

/**
 * As {@link pick}, from several arrays of one length, of which most values are wanted and none twice. Rows in the order of
 * their scores lie anywhere in a matrix, so nearly every read of {@link pick} waits for memory. This reads the arrays from
 * front to back, scatters their values to blocks of rows, and sorts out each block by itself.
 */
export function gatherBlocked<T extends Float64Array | Float32Array>(
  arrays: readonly T[],
  at: Uint32Array,
): T[] {
  const [first] = arrays;
  if (first === undefined) return [];
  const rowOf = inverse(at, first.length);
  const shift = blockBits(at.length);
  const rows = new Uint32Array(at.length);
  partition(rowOf, shift, rows);
  const make = first.constructor as new (length: number) => T;
  const scattered = new make(at.length);
  return arrays.map((values) => {
    scatterValues(rowOf, values, shift, scattered);
    const picked = new make(at.length);
    place(scattered, rows, picked);
    return picked;
  });
}

// The loops are functions of their own, small enough to be compiled soon.

/** Where each number below `length` is in `at`, found block by block, too. */
function inverse(at: Uint32Array, length: number): Uint32Array {
  const shift = blockBits(length);
  const next = blockStarts(length, shift);
  const scattered = new Uint32Array(length);
  const scatteredRows = new Uint32Array(length);
  scatterPlaces(at, shift, next, scattered, scatteredRows);
  const rowOf = new Uint32Array(length).fill(NOWHERE);
  for (let block = 0; block < next.length; block++) {
    placeRows(scattered, scatteredRows, block << shift, next[block]!, rowOf);
  }
  return rowOf;
}

function blockBits(length: number): number {
  let shift = BLOCK_BITS;
  while (length >>> shift >= MOST_BLOCKS) shift++;
  return shift;
}

function blockStarts(length: number, shift: number): Uint32Array {
  return Uint32Array.from({ length: (length >>> shift) + 1 }, (_, block) => block << shift);
}

function scatterPlaces(
  at: Uint32Array,
  shift: number,
  next: Uint32Array,
  scattered: Uint32Array,
  scatteredRows: Uint32Array,
): void {
  for (let row = 0; row < at.length; row++) {
    const place = at[row]!;
    const to = next[place >>> shift]!++;
    scattered[to] = place;
    scatteredRows[to] = row;
  }
}

function placeRows(
  scattered: Uint32Array,
  scatteredRows: Uint32Array,
  start: number,
  end: number,
  rowOf: Uint32Array,
): void {
  for (let k = start; k < end; k++) rowOf[scattered[k]!] = scatteredRows[k]!;
}

function partition(rowOf: Uint32Array, shift: number, scattered: Uint32Array): void {
  const next = blockStarts(scattered.length, shift);
  for (const row of rowOf) {
    if (row !== NOWHERE) scattered[next[row >>> shift]!++] = row;
  }
}

function scatterValues<T extends Float64Array | Float32Array>(
  rowOf: Uint32Array,
  values: T,
  shift: number,
  scattered: T,
): void {
  const next = blockStarts(scattered.length, shift);
  for (let k = 0; k < rowOf.length; k++) {
    const row = rowOf[k]!;
    if (row !== NOWHERE) scattered[next[row >>> shift]!++] = values[k]!;
  }
}

function place<T extends Float64Array | Float32Array>(scattered: T, rows: Uint32Array, picked: T): void {
  for (let k = 0; k < scattered.length; k++) picked[rows[k]!] = scattered[k]!;
}
