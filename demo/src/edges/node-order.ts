import { averageLinkageOrder } from './linkage.ts';
import { nameRanks } from './row-query.ts';
import type { ScoreMatrix } from './score-matrix.ts';

export type NodeOrderName = 'index' | 'name' | 'degree' | 'cluster';

/** Nodes up to which clustering answers while one waits; its distances take 4 bytes for each pair. */
export const largestClustering = 4000;

/** `order[place]` is the node shown there. */
export function nodeOrder(kind: NodeOrderName, names: readonly string[], matrix: ScoreMatrix): Uint32Array {
  const nodes = Uint32Array.from(names.keys());
  if (kind === 'name') {
    const rank = nameRanks(names);
    return nodes.sort((a, b) => rank[a]! - rank[b]!);
  }
  if (kind === 'degree') {
    const degree = degrees(matrix);
    return nodes.sort((a, b) => degree[b]! - degree[a]! || a - b);
  }
  if (kind === 'cluster' && names.length <= largestClustering && names.length > 1)
    return averageLinkageOrder(dissimilarity(matrix), names.length);
  return nodes;
}

/** Edges of the graph at each node, both directions. */
function degrees({ nodes, edges }: ScoreMatrix): Uint32Array {
  const degree = new Uint32Array(nodes);
  for (let i = 0; i < nodes; i++)
    for (let j = 0; j < nodes; j++)
      if (edges[i * nodes + j]) {
        degree[i]! += 1;
        degree[j]! += 1;
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
