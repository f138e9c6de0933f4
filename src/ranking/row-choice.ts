import type { RankedPairs } from './rank-pairs.ts';

/** Which rows of the table are returned. p and q are over all of its rows. */
export interface RowChoice {
  readonly excludeSelf: boolean;
  /** Most rows, the first that the other options choose */
  readonly top: number;
  /** Only rows with q up to this */
  readonly maxQ: number;
  /** Only pairs that are not edges */
  readonly candidatesOnly: boolean;
  readonly edges: EdgeSet;
}

/** Ordered pairs of nodes, each as `source * nodes + target`. */
export interface EdgeSet {
  /** Each once */
  readonly pairIndices: ArrayLike<number> & Iterable<number>;
  has(pairIndex: number): boolean;
}

/** Tables with fewer rows than this are sorted whole. */
const FEW_ROWS = 1 << 16;

/** Rows of the whole table. */
export function rowsOf(nodes: number, { excludeSelf }: RowChoice): number {
  return nodes * (nodes - (excludeSelf ? 1 : 0));
}

/** Whether there are too many rows to sort the table whole. */
export function isLargeTable(nodes: number, choice: RowChoice): boolean {
  return rowsOf(nodes, choice) >= FEW_ROWS;
}

/** The requested rows among some consecutive ones; undefined for all of them. */
export function chosenRows(
  { pairIndices, q }: RankedPairs,
  { candidatesOnly, edges, maxQ, top }: RowChoice,
): Uint32Array | undefined {
  if (!candidatesOnly && maxQ >= 1 && top >= pairIndices.length) return undefined;
  const rows = new Uint32Array(pairIndices.length);
  let kept = 0;
  for (let row = 0; row < pairIndices.length && kept < top; row++) {
    if (q[row]! <= maxQ && !(candidatesOnly && edges.has(pairIndices[row]!))) rows[kept++] = row;
  }
  return rows.subarray(0, kept);
}
