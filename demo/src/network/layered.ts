import type { EdgeList } from './graph.ts';

/**
 * Positions in layers from left to right, so that names fit: a node is one layer after its last parent, and within a
 * layer near the mean place of its neighbours. `[x, y]` of each node, in units of one place.
 *
 * @param edges without cycles
 */
export function layeredLayout(nodes: number, edges: EdgeList): Float32Array {
  const layers: number[][] = [];
  const layer = longestPaths(nodes, edges);
  layer.forEach((depth, node) => (layers[depth] ??= []).push(node));
  const widest = Math.max(1, ...layers.map((members) => members.length));
  const place = new Float32Array(nodes);
  const spread = () => {
    for (const members of layers) {
      // Short layers spread over some of the height that long ones need.
      const room = Math.min((widest / members.length) ** 0.7, 6);
      members.forEach((node, k) => {
        place[node] = room * (k - (members.length - 1) / 2);
      });
    }
  };
  spread();
  const neighbours: number[][] = Array.from({ length: nodes }, () => []);
  for (const [source, target] of edges) {
    neighbours[source]!.push(target);
    neighbours[target]!.push(source);
  }
  // A few sweeps of the barycentre rule; more rarely reduce the number of crossings.
  for (let sweep = 0; sweep < 12; sweep++) {
    for (const members of sweep % 2 === 0 ? layers : layers.toReversed()) {
      const pull = new Map(
        members.map((node) => {
          const around = neighbours[node]!;
          const mean = around.reduce((sum, other) => sum + place[other]!, 0) / around.length;
          return [node, around.length > 0 ? mean : place[node]!];
        }),
      );
      members.sort((a, b) => pull.get(a)! - pull.get(b)! || a - b);
    }
    spread();
  }
  // The wider the layers, the further apart they are, so that the picture fills its frame.
  const gap = Math.min(Math.max((0.6 * widest) / layers.length, 1.6), 8);
  return Float32Array.from({ length: 2 * nodes }, (_, k) =>
    k % 2 === 0 ? gap * layer[k >> 1]! : place[k >> 1]!,
  );
}

/** Length of the longest path that ends at each node (Kahn's order). */
function longestPaths(nodes: number, edges: EdgeList): Int32Array {
  const waiting = new Int32Array(nodes);
  const children: number[][] = Array.from({ length: nodes }, () => []);
  for (const [source, target] of edges) {
    waiting[target]! += 1;
    children[source]!.push(target);
  }
  const depth = new Int32Array(nodes);
  const ready = [...waiting.keys()].filter((node) => waiting[node] === 0);
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    for (const child of children[node]!) {
      depth[child] = Math.max(depth[child]!, depth[node]! + 1);
      waiting[child]! -= 1;
      if (waiting[child] === 0) ready.push(child);
    }
  }
  return depth;
}
