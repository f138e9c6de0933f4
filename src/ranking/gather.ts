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
 * front to back, deals their values out to blocks of rows, and sorts out each block by itself.
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
  const dealt = new make(at.length);
  return arrays.map((values) => {
    dealValues(rowOf, values, shift, dealt);
    const picked = new make(at.length);
    place(dealt, rows, picked);
    return picked;
  });
}

// The loops are functions of their own, small enough to be compiled soon.

/** Where each number below `length` is in `at`, found block by block, too. */
function inverse(at: Uint32Array, length: number): Uint32Array {
  const shift = blockBits(length);
  const next = blockStarts(length, shift);
  const dealt = new Uint32Array(length);
  const dealtRows = new Uint32Array(length);
  dealPlaces(at, shift, next, dealt, dealtRows);
  const rowOf = new Uint32Array(length).fill(NOWHERE);
  for (let block = 0; block < next.length; block++) {
    placeRows(dealt, dealtRows, block << shift, next[block]!, rowOf);
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

function dealPlaces(
  at: Uint32Array,
  shift: number,
  next: Uint32Array,
  dealt: Uint32Array,
  dealtRows: Uint32Array,
): void {
  for (let row = 0; row < at.length; row++) {
    const place = at[row]!;
    const to = next[place >>> shift]!++;
    dealt[to] = place;
    dealtRows[to] = row;
  }
}

function placeRows(
  dealt: Uint32Array,
  dealtRows: Uint32Array,
  start: number,
  end: number,
  rowOf: Uint32Array,
): void {
  for (let k = start; k < end; k++) rowOf[dealt[k]!] = dealtRows[k]!;
}

function partition(rowOf: Uint32Array, shift: number, dealt: Uint32Array): void {
  const next = blockStarts(dealt.length, shift);
  for (const row of rowOf) {
    if (row !== NOWHERE) dealt[next[row >>> shift]!++] = row;
  }
}

function dealValues<T extends Float64Array | Float32Array>(
  rowOf: Uint32Array,
  values: T,
  shift: number,
  dealt: T,
): void {
  const next = blockStarts(dealt.length, shift);
  for (let k = 0; k < rowOf.length; k++) {
    const row = rowOf[k]!;
    if (row !== NOWHERE) dealt[next[row >>> shift]!++] = values[k]!;
  }
}

function place<T extends Float64Array | Float32Array>(dealt: T, rows: Uint32Array, picked: T): void {
  for (let k = 0; k < dealt.length; k++) picked[rows[k]!] = dealt[k]!;
}
