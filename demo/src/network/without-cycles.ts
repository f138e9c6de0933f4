import type { EdgeList } from './graph.ts';

/**
 * The edges, with those reversed that run backwards in an order with few such edges (Eades, Lin and Smyth 1993): the
 * result has no cycle.
 */
export function withoutCycles(nodes: number, edges: EdgeList): { edges: EdgeList; turned: number } {
  const place = placesInOrder(nodes, edges);
  let turned = 0;
  const forward = edges.map((edge) => {
    const [source, target] = edge;
    if (place[source]! <= place[target]!) return edge;
    turned++;
    return [target, source] as const;
  });
  return { edges: forward, turned };
}

/**
 * Repeatedly moves sources to the front and sinks to the back; without any, the node with the largest excess of
 * outgoing over incoming edges goes first.
 */
function placesInOrder(nodes: number, edges: EdgeList): Int32Array {
  const into: number[][] = Array.from({ length: nodes }, () => []);
  const outOf: number[][] = Array.from({ length: nodes }, () => []);
  for (const [source, target] of edges) {
    if (source === target) continue;
    outOf[source]!.push(target);
    into[target]!.push(source);
  }
  const inDegree = Int32Array.from(into, ({ length }) => length);
  const outDegree = Int32Array.from(outOf, ({ length }) => length);
  const left = new Set(inDegree.keys());
  const place = new Int32Array(nodes);
  let [front, back] = [0, nodes - 1];
  const ends = [...left].filter((node) => inDegree[node] === 0 || outDegree[node] === 0);
  const take = (node: number, at: number) => {
    left.delete(node);
    place[node] = at;
    for (const target of outOf[node]!) if (lessOne(inDegree, target) === 0) ends.push(target);
    for (const source of into[node]!) if (lessOne(outDegree, source) === 0) ends.push(source);
  };
  while (left.size > 0) {
    const end = ends.pop();
    if (end !== undefined) {
      if (left.has(end)) take(end, outDegree[end] === 0 ? back-- : front++);
      continue;
    }
    let best = -1;
    for (const node of left)
      if (best < 0 || outDegree[node]! - inDegree[node]! > outDegree[best]! - inDegree[best]!) best = node;
    take(best, front++);
  }
  return place;
}

const lessOne = (counts: Int32Array, at: number): number => (counts[at]! -= 1);
