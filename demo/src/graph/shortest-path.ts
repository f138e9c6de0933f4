import type { Edge } from './change.ts';

/** A shortest path along edges from one node to another, both included; null if there is none. */
export function shortestPath(
  nodes: number,
  edges: Iterable<Edge>,
  from: number,
  to: number,
): number[] | null {
  const children: number[][] = Array.from({ length: nodes }, () => []);
  for (const [source, target] of edges) children[source]!.push(target);
  const before = new Int32Array(nodes).fill(-1);
  before[from] = from;
  let reached = [from];
  while (reached.length > 0 && before[to]! < 0) {
    const next: number[] = [];
    for (const node of reached)
      for (const child of children[node]!) {
        if (before[child]! >= 0) continue;
        before[child] = node;
        next.push(child);
      }
    reached = next;
  }
  if (before[to]! < 0) return null;
  const path = [to];
  while (path[0] !== from) path.unshift(before[path[0]!]!);
  return path;
}
