import { averageLinkageOrder } from './linkage.ts';
import { nameRanks } from './row-query.ts';
import type { ScoreMatrix } from './score-matrix.ts';

export const nodeOrders = ['index', 'name', 'degree', 'cluster'] as const;
export type NodeOrderName = (typeof nodeOrders)[number];

/** Most nodes for which clustering is fast enough to wait for; its distances take 4 bytes per pair. */
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

/** Places nodes with high scores between them next to each other; the model's order if there are too many nodes. */
export function clusterOrder(matrix: ScoreMatrix): Uint32Array {
  const { nodes } = matrix;
  if (nodes > largestClustering || nodes < 2) return Uint32Array.from({ length: nodes }, (_, node) => node);
  return averageLinkageOrder(dissimilarity(matrix), nodes);
}

/** Edges of the graph at each node, in both directions, without self edges. */
function degrees(nodes: number, edges: Iterable<readonly [number, number]>): Uint32Array {
  const degree = new Uint32Array(nodes);
  for (const [source, target] of edges) {
    if (source === target) continue;
    degree[source]! += 1;
    degree[target]! += 1;
  }
  return degree;
}

/** 1 - the stronger |score| of the two directions; a missing score counts as 0. */
function dissimilarity({ nodes, scores }: ScoreMatrix): Float32Array {
  const distance = new Float32Array(nodes * nodes);
  for (let i = 0; i < nodes; i++)
    for (let j = 0; j < nodes; j++)
      distance[i * nodes + j] =
        1 - Math.max(Math.abs(scores[i * nodes + j]! || 0), Math.abs(scores[j * nodes + i]! || 0));
  return distance;
}
