import type { RowsByTarget } from './by-target.ts';
import type { ScoreRequest } from './score-matrices.ts';

/** Ordered pairs of nodes that are scored together, and the nodes involved. */
export interface PairGroup {
  /** Sources, targets, and all nodes that the targets are conditioned on, ascending */
  readonly nodes: Uint32Array;
  /** Ascending */
  readonly targets: Uint32Array;
  /** Positions of the pairs in the list of pairs */
  readonly rows: Uint32Array;
}

/** Most nodes of a group, unless one pair needs more: wide enough for the kernel, with few superfluous products. */
const MOST_NODES = 384;

/**
 * Groups requested pairs of nodes so that the products of all nodes of a group with each other are little work in
 * total.
 *
 * @param pairIndices `source * nodes + target` of each
 * @param byTarget of the pairs
 * @returns undefined if scoring all pairs would be less work
 */
export function pairGroups(
  pairIndices: Uint32Array,
  nodes: number,
  { score, conditioningSets }: ScoreRequest,
  byTarget: RowsByTarget,
): PairGroup[] | undefined {
  const { offsets, indices } = conditioningSets;
  const groups: PairGroup[] = [];
  // The latest group of each node.
  const groupOf = new Int32Array(nodes).fill(-1);
  let members: number[] = [];
  let targets: number[] = [];
  let rows: number[] = [];
  let work = 0;
  const close = (): void => {
    work += members.length ** 2;
    groups.push({
      nodes: Uint32Array.from(members).sort(),
      targets: Uint32Array.from(targets),
      rows: Uint32Array.from(rows),
    });
    [members, targets, rows] = [[], [], []];
  };
  for (const row of byTarget.rows) {
    const target = pairIndices[row]! % nodes;
    const source = (pairIndices[row]! - target) / nodes;
    const needed = [source, target];
    if (score === 'partial' && targets.at(-1) !== target) {
      needed.push(...indices.subarray(offsets[target], offsets[target + 1]));
    }
    const added = needed.filter((node) => groupOf[node] !== groups.length).length;
    if (rows.length > 0 && members.length + added > MOST_NODES) {
      close();
      // Scoring all pairs takes the products of half of X^T X and all of X^T Y.
      if (work > nodes ** 2 / 2) return undefined;
      if (score === 'partial') needed.push(...indices.subarray(offsets[target], offsets[target + 1]));
    }
    for (const node of needed) {
      if (groupOf[node] === groups.length) continue;
      groupOf[node] = groups.length;
      members.push(node);
    }
    if (targets.at(-1) !== target) targets.push(target);
    rows.push(row);
  }
  if (rows.length > 0) close();
  return groups;
}
