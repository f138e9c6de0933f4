/** Rows processed between two yields. */
const STEP = 1 << 19;

/** Ordered pairs of nodes, sorted by target. */
export interface RowsByTarget {
  /** Positions in the list of pairs: by target, those of one target in the order of the list */
  readonly rows: Uint32Array;
  /** Those of target j are `rows[starts[j]] .. rows[starts[j + 1]]` */
  readonly starts: Uint32Array;
}

/**
 * Sorts pairs by target. Yields some milliseconds of work apart.
 *
 * @param pairIndices `source * nodes + target` of each
 */
export function* rowsByTarget(
  pairIndices: Uint32Array,
  nodes: number,
): Generator<undefined, RowsByTarget, undefined> {
  const starts = new Uint32Array(nodes + 1);
  const rows = new Uint32Array(pairIndices.length);
  for (let first = 0; first < pairIndices.length; first += STEP) {
    count(pairIndices, nodes, first, Math.min(first + STEP, pairIndices.length), starts);
    yield;
  }
  for (let target = 0; target < nodes; target++) starts[target + 1]! += starts[target]!;
  const next = starts.slice();
  for (let first = 0; first < pairIndices.length; first += STEP) {
    place(pairIndices, nodes, [first, Math.min(first + STEP, pairIndices.length)], next, rows);
    yield;
  }
  return { rows, starts };
}

// The loops are functions of their own: engines leave loops inside generators half optimised.

function count(
  pairIndices: Uint32Array,
  nodes: number,
  first: number,
  end: number,
  starts: Uint32Array,
): void {
  for (let row = first; row < end; row++) starts[(pairIndices[row]! % nodes) + 1]!++;
}

function place(
  pairIndices: Uint32Array,
  nodes: number,
  [first, end]: readonly [number, number],
  next: Uint32Array,
  rows: Uint32Array,
): void {
  for (let row = first; row < end; row++) rows[next[pairIndices[row]! % nodes]!++] = row;
}
