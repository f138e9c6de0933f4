/** Rows looked at between two pauses. */
const STEP = 1 << 19;

/** Ordered pairs of nodes by their targets. */
export interface RowsByTarget {
  /** Where in the list of pairs each is: by target, those of a target in the order of the list */
  readonly rows: Uint32Array;
  /** Those of target j are `rows[starts[j]] .. rows[starts[j + 1]]` */
  readonly starts: Uint32Array;
}

/**
 * Puts pairs in the order of their targets. Yields some milliseconds of work apart.
 *
 * @param elements `source * nodes + target` of each
 */
export function* rowsByTarget(
  elements: Uint32Array,
  nodes: number,
): Generator<undefined, RowsByTarget, undefined> {
  const starts = new Uint32Array(nodes + 1);
  const rows = new Uint32Array(elements.length);
  for (let first = 0; first < elements.length; first += STEP) {
    count(elements, nodes, first, Math.min(first + STEP, elements.length), starts);
    yield;
  }
  for (let target = 0; target < nodes; target++) starts[target + 1]! += starts[target]!;
  const next = starts.slice();
  for (let first = 0; first < elements.length; first += STEP) {
    place(elements, nodes, first, Math.min(first + STEP, elements.length), next, rows);
    yield;
  }
  return { rows, starts };
}

// The loops are functions of their own: engines leave loops inside generators half optimised.

function count(elements: Uint32Array, nodes: number, first: number, end: number, starts: Uint32Array): void {
  for (let row = first; row < end; row++) starts[(elements[row]! % nodes) + 1]!++;
}

function place(
  elements: Uint32Array,
  nodes: number,
  first: number,
  end: number,
  next: Uint32Array,
  rows: Uint32Array,
): void {
  for (let row = first; row < end; row++) rows[next[elements[row]! % nodes]!++] = row;
}
