import type { EdgeIndex } from '../model/graph.ts';
import type { EdgeSet } from '../ranking/row-choice.ts';

/**
 * Which ordered pairs of function nodes are edges, one bit each: queried a million times, so a bit set and not a Set.
 *
 * @param edges function -> function edges, indices below `nodes`
 */
export function edgeSet(edges: EdgeIndex, nodes: number): EdgeSet {
  const bits = new Uint32Array(Math.ceil((nodes * nodes) / 32));
  const has = (pairIndex: number): boolean => ((bits[pairIndex >>> 5]! >>> (pairIndex & 31)) & 1) === 1;
  const [sources, targets] = edges;
  const pairIndices: number[] = [];
  for (let e = 0; e < sources.length; e++) {
    const pairIndex = sources[e]! * nodes + targets[e]!;
    if (has(pairIndex)) continue;
    bits[pairIndex >>> 5]! |= 1 << (pairIndex & 31);
    pairIndices.push(pairIndex);
  }
  return { pairIndices, has };
}
