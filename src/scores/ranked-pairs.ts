import { sortedOrder } from './order.ts';
import { benjaminiHochberg, fisherPValue } from './significance.ts';

/** Ordered pairs of nodes in the order of the edge table: by score, descending, NaN last, ties by (source, target). */
export interface RankedPairs {
  /** `source * nodes + target` of each row */
  readonly elements: Uint32Array;
  /** Aggregated scores */
  readonly corr: Float64Array | Float32Array;
  /** One-sided p-values */
  readonly p: Float64Array;
  /** Benjamini-Hochberg over all rows */
  readonly q: Float64Array;
}

/** Rows handled between two looks at the clock. */
const STEP = 1 << 15;

/**
 * Sorts all pairs by score and gives each its p and q (method.md, "Significance").
 *
 * @param scores aggregated scores, row-major `[nodes, nodes]`
 * @param conditioned |S_j| of each target for partial scores
 * @param pace called between pieces of work
 */
export async function rankPairs(
  scores: Float64Array | Float32Array,
  nodes: number,
  settings: {
    readonly excludeSelf: boolean;
    readonly samples: number;
    readonly conditioned: Int32Array | undefined;
    readonly pace: () => Promise<void> | undefined;
  },
): Promise<RankedPairs> {
  const { excludeSelf, samples, conditioned, pace } = settings;
  const sorted = sortedOrder(scores, 'descending');
  await pace();
  const elements = excludeSelf ? withoutDiagonal(sorted, nodes) : sorted;
  const corr = pick(scores, elements);
  await pace();
  const p = new Float64Array(elements.length);
  for (let start = 0; start < elements.length; start += STEP) {
    const end = Math.min(start + STEP, elements.length);
    if (conditioned === undefined) plainPValues(corr, samples, p, start, end);
    else partialPValues(corr, samples, elements, conditioned, p, start, end);
    await pace();
  }
  // Where all targets have the same degrees of freedom, p rises as the score falls: the rows are in its order.
  const sameFreedom = conditioned?.every((size) => size === conditioned[0]) ?? true;
  const q = benjaminiHochberg(p, sameFreedom ? undefined : sortedOrder(p, 'ascending'));
  await pace();
  return { elements, corr, p, q };
}

// The loops over rows are functions of their own: engines leave loops inside async functions half optimised.

function plainPValues(
  corr: Float64Array | Float32Array,
  samples: number,
  p: Float64Array,
  start: number,
  end: number,
): void {
  for (let row = start; row < end; row++) p[row] = fisherPValue(corr[row]!, samples, 0);
}

function partialPValues(
  corr: Float64Array | Float32Array,
  samples: number,
  elements: Uint32Array,
  conditioned: Int32Array,
  p: Float64Array,
  start: number,
  end: number,
): void {
  const nodes = conditioned.length;
  for (let row = start; row < end; row++) {
    p[row] = fisherPValue(corr[row]!, samples, conditioned[elements[row]! % nodes]!);
  }
}

/** Only those rows, in that order. */
export function pickRows(pairs: RankedPairs, rows: Uint32Array): RankedPairs {
  return {
    elements: pickElements(pairs.elements, rows),
    corr: pick(pairs.corr, rows),
    p: pick(pairs.p, rows),
    q: pick(pairs.q, rows),
  };
}

/** `values[at[k]]` for each k, in an array of the same type. */
export function pick<T extends Float64Array | Float32Array>(values: T, at: Uint32Array): T {
  const picked = new (values.constructor as new (length: number) => T)(at.length);
  for (let k = 0; k < at.length; k++) picked[k] = values[at[k]!]!;
  return picked;
}

/** Interleaving makes a copy of all the matrices; above this many bytes it is left out. */
const INTERLEAVE_BYTES = 1 << 28;

/**
 * As {@link pick}, from several arrays at once. Rows in the order of their scores lie anywhere in a matrix, so nearly
 * every read waits for memory: side by side, the values of one row come with one wait instead of one for each array.
 */
export function pickAll<T extends Float64Array | Float32Array>(arrays: readonly T[], at: Uint32Array): T[] {
  const width = arrays.length;
  const length = arrays[0]?.length ?? 0;
  if (width < 2 || width * length * 8 > INTERLEAVE_BYTES) return arrays.map((values) => pick(values, at));
  const make = arrays[0]!.constructor as new (length: number) => T;
  const mixed = new make(width * length);
  arrays.forEach((values, a) => {
    for (let k = 0, to = a; k < length; k++, to += width) mixed[to] = values[k]!;
  });
  const picked = arrays.map(() => new make(at.length));
  const count = at.length;
  for (let first = 0; first < count; first += PICK_BLOCK) {
    const end = Math.min(first + PICK_BLOCK, count);
    for (let a = 0; a < width; a++) {
      const to = picked[a]!;
      for (let k = first; k < end; k++) to[k] = mixed[Math.imul(at[k]!, width) + a]!;
    }
  }
  return picked;
}

/** Rows whose values stay in the nearest cache from the first array's turn to the last one's. */
const PICK_BLOCK = 256;

function pickElements(elements: Uint32Array, at: Uint32Array): Uint32Array {
  const picked = new Uint32Array(at.length);
  for (let k = 0; k < at.length; k++) picked[k] = elements[at[k]!]!;
  return picked;
}

/** Leaves out i -> i, in place. */
function withoutDiagonal(elements: Uint32Array, nodes: number): Uint32Array {
  const count = elements.length;
  let kept = 0;
  for (let row = 0; row < count; row++) {
    const element = elements[row]!;
    if (element % (nodes + 1) !== 0) elements[kept++] = element;
  }
  return elements.subarray(0, kept);
}
