import { raggedFromLists, type RaggedIndices } from '../statistics/ragged.ts';

/** `[sources, targets]`: function -> function edges as two lists of equal length, indices among the function nodes. */
export type FunctionEdges = readonly [sources: ArrayLike<number>, targets: ArrayLike<number>];

/**
 * S_j for each target j: the parents of j among the function -> function edges, without j itself, deduplicated and
 * ascending (method.md, "Symbols").
 *
 * @param nodes N, function nodes
 * @returns N lists
 */
export function parentLists([sources, targets]: FunctionEdges, nodes: number): number[][] {
  const parents = Array.from({ length: nodes }, () => new Set<number>());
  for (let edge = 0; edge < sources.length; edge++) {
    if (sources[edge] !== targets[edge]) parents[targets[edge]!]!.add(sources[edge]!);
  }
  return parents.map((set) => [...set].sort((a, b) => a - b));
}

/** The same lists packed, as a ScoreRequest takes them. */
export function conditioningSets(edges: FunctionEdges, nodes: number): RaggedIndices {
  return raggedFromLists(parentLists(edges, nodes));
}
