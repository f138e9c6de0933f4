import Graph from 'graphology';
import forceAtlas2 from 'graphology-layout-forceatlas2';
import type { EdgeList } from './graph.ts';

/** Positions by ForceAtlas2, started from a fixed disc, so that the same graph always gives the same picture. */
export function forceLayout(nodes: number, edges: EdgeList): Float32Array {
  const graph = new Graph({ type: 'undirected', multi: false, allowSelfLoops: false });
  for (let node = 0; node < nodes; node++) {
    // The golden angle fills a disc evenly; nodes that start at the same point would never part.
    const radius = Math.sqrt(node + 0.5);
    graph.addNode(node, { x: radius * Math.cos(2.399963 * node), y: radius * Math.sin(2.399963 * node) });
  }
  for (const [source, target] of edges)
    if (source !== target && !graph.hasEdge(source, target)) graph.addEdge(source, target);
  const settings = forceAtlas2.inferSettings(graph);
  // About two seconds of work at most, whatever the size.
  const iterations = Math.round(Math.min(400, Math.max(30, 400_000 / (nodes + 1))));
  forceAtlas2.assign(graph, {
    iterations,
    settings: { ...settings, barnesHutOptimize: nodes > 400, adjustSizes: false },
  });
  const positions = new Float32Array(2 * nodes);
  graph.forEachNode((node, { x, y }) => {
    positions.set([x as number, y as number], 2 * Number(node));
  });
  return nodes > few ? spread(positions) : positions;
}

/** Layouts of up to this many nodes stay as they are. */
const few = 60;

/**
 * Nodes keep their directions from the middle and the order of their distances. Each distance becomes the geometric
 * mean of itself and its counterpart on an evenly filled disc: a dense middle spreads, outliers move inwards.
 */
function spread(positions: Float32Array): Float32Array {
  const nodes = positions.length / 2;
  const middle = [0, 1].map((axis) => {
    const along = positions.filter((_, k) => k % 2 === axis).sort();
    return along[nodes >> 1]!;
  }) as [number, number];
  const offsets = Array.from(
    { length: nodes },
    (_, node) => [positions[2 * node]! - middle[0], positions[2 * node + 1]! - middle[1]] as const,
  );
  const distances = offsets.map(([x, y]) => Math.hypot(x, y));
  const order = [...distances.keys()].sort((a, b) => distances[a]! - distances[b]!);
  const typical = distances[order[nodes >> 1]!]! || 1;
  const moved = new Float32Array(positions.length);
  order.forEach((node, rank) => {
    const even = typical * Math.sqrt((2 * (rank + 0.5)) / nodes);
    const factor = distances[node]! > 0 ? Math.sqrt(even / distances[node]!) : 1;
    moved.set(
      offsets[node]!.map((offset) => offset * factor),
      2 * node,
    );
  });
  return moved;
}
