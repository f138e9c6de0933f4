import { raggedFromLists, type RaggedIndices } from '../statistics/ragged.ts';

/**
 * S_j for each target j: the parents of j among the function -> function edges, without j itself, deduplicated and
 * ascending (method.md, "Symbols").
 *
 * @param edges `[sources, targets]`, indices among the function nodes
 * @param nodes N, function nodes
 */
export function conditioningSets(
  edges: readonly [sources: ArrayLike<number>, targets: ArrayLike<number>],
  nodes: number,
): RaggedIndices {
  const [sources, targets] = edges;
  const parents = Array.from({ length: nodes }, () => new Set<number>());
  for (let e = 0; e < sources.length; e++) {
    if (sources[e] !== targets[e]) parents[targets[e]!]!.add(sources[e]!);
  }
  return raggedFromLists(parents.map((set) => [...set].sort((a, b) => a - b)));
}
