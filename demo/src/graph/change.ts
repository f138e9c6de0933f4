import type { GsnnGraph } from 'magnitude-edge';

/** An edge as (source, target), indices of function nodes. */
export type Edge = readonly [source: number, target: number];

/**
 * A random graph with the in- and out-degree of every node preserved: pairs of edges swap targets, ten times per edge;
 * swaps that would make a self edge or a double edge are skipped.
 */
export function degreePreservingPermutation(edges: readonly Edge[], random: () => number): Edge[] {
  const swapped = edges.map(([source, target]): [number, number] => [source, target]);
  const key = (source: number, target: number) => `${source} ${target}`;
  const taken = new Set(swapped.map(([source, target]) => key(source, target)));
  const pick = () => Math.floor(random() * swapped.length);
  for (let trial = 0; trial < 10 * swapped.length; trial++) {
    const [a, b] = [swapped[pick()]!, swapped[pick()]!];
    const [first, second] = [key(a[0], b[1]), key(b[0], a[1])];
    if (a === b || a[0] === b[1] || b[0] === a[1] || taken.has(first) || taken.has(second)) continue;
    taken.delete(key(...a));
    taken.delete(key(...b));
    taken.add(first);
    taken.add(second);
    [a[1], b[1]] = [b[1], a[1]];
  }
  return swapped;
}

/** Removes a random share of the edges, at least one. */
export function maskShare(
  edges: readonly Edge[],
  share: number,
  random: () => number,
): { kept: Edge[]; masked: Edge[] } {
  const order = edges.map((edge) => ({ edge, at: random() })).sort((a, b) => a.at - b.at);
  const count = Math.max(1, Math.round(share * edges.length));
  return {
    masked: order.slice(0, count).map(({ edge }) => edge),
    kept: order.slice(count).map(({ edge }) => edge),
  };
}

export const isSameEdge = (a: Edge, b: Edge): boolean => a[0] === b[0] && a[1] === b[1];

/** Edges between different function nodes. */
export function edgesOf(graph: GsnnGraph): Edge[] {
  const [sources, targets] = graph.edgeIndex['function,function'];
  return Array.from(sources, (source, k): Edge => [source, targets[k]!]).filter(([a, b]) => a !== b);
}

/** The same nodes with other edges between functions. */
export function withEdges(graph: GsnnGraph, edges: readonly Edge[]): GsnnGraph {
  const list = [edges.map(([source]) => source), edges.map(([, target]) => target)] as const;
  return { ...graph, edgeIndex: { ...graph.edgeIndex, 'function,function': list } };
}
