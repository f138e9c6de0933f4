import { sortedOrder, sortRows } from './order.ts';
import { pick } from './pick.ts';
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
  const { rows: elements, values: corr } = sortRows(
    scores,
    'descending',
    excludeSelf ? nodes + 1 : undefined,
  );
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

function pickElements(elements: Uint32Array, at: Uint32Array): Uint32Array {
  const picked = new Uint32Array(at.length);
  for (let k = 0; k < at.length; k++) picked[k] = elements[at[k]!]!;
  return picked;
}
