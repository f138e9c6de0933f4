import { averageLinkageOrder } from './linkage.ts';
import { nameRanks } from './row-query.ts';
import type { ScoreMatrix } from './score-matrix.ts';

export const nodeOrders = ['index', 'name', 'degree', 'cluster'] as const;
export type NodeOrderName = (typeof nodeOrders)[number];

/** Nodes up to which clustering answers while one waits; its distances take 4 bytes for each pair. */
export const largestClustering = 4000;

/** `order[place]` is the node shown there; `edges` are the graph's, as (source, target). */
export function nodeOrder(
  kind: Exclude<NodeOrderName, 'cluster'>,
  names: readonly string[],
  edges: Iterable<readonly [number, number]>,
): Uint32Array {
  const nodes = Uint32Array.from(names.keys());
  if (kind === 'name') {
    const rank = nameRanks(names);
    return nodes.sort((a, b) => rank[a]! - rank[b]!);
  }
  if (kind === 'degree') {
    const degree = degrees(names.length, edges);
    return nodes.sort((a, b) => degree[b]! - degree[a]! || a - b);
  }
  return nodes;
}

/** Neighbours by score stand side by side; the order of the model where there are too many nodes for that. */
export function clusterOrder(matrix: ScoreMatrix): Uint32Array {
  const { nodes } = matrix;
  if (nodes > largestClustering || nodes < 2) return Uint32Array.from({ length: nodes }, (_, node) => node);
  return averageLinkageOrder(dissimilarity(matrix), nodes);
}

/** Edges of the graph at each node, both directions; self edges do not count. */
function degrees(nodes: number, edges: Iterable<readonly [number, number]>): Uint32Array {
  const degree = new Uint32Array(nodes);
  for (const [source, target] of edges) {
    if (source === target) continue;
    degree[source]! += 1;
    degree[target]! += 1;
  }
  return degree;
}

/** 1 - the stronger |score| of the two directions; no score counts as 0. */
function dissimilarity({ nodes, scores }: ScoreMatrix): Float32Array {
  const distance = new Float32Array(nodes * nodes);
  for (let i = 0; i < nodes; i++)
    for (let j = 0; j < nodes; j++)
      distance[i * nodes + j] =
        1 - Math.max(Math.abs(scores[i * nodes + j]! || 0), Math.abs(scores[j * nodes + i]! || 0));
  return distance;
}
