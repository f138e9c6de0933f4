import type { EdgeIndex } from '../model/graph.ts';

/** Which ordered pairs of function nodes are edges, one bit each: asked a million times, so a bit set and not a Set. */
export interface EdgeSet {
  /** @param element `source * nodes + target` */
  has(element: number): boolean;
}

/** @param edges function -> function edges, indices below `nodes` */
export function edgeSet(edges: EdgeIndex, nodes: number): EdgeSet {
  const bits = new Uint32Array(Math.ceil((nodes * nodes) / 32));
  const [sources, targets] = edges;
  for (let e = 0; e < sources.length; e++) {
    const element = sources[e]! * nodes + targets[e]!;
    bits[element >>> 5]! |= 1 << (element & 31);
  }
  return { has: (element) => ((bits[element >>> 5]! >>> (element & 31)) & 1) === 1 };
}
