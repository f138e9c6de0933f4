import Graph from 'graphology';
import forceAtlas2 from 'graphology-layout-forceatlas2';
import type { EdgeList } from './layered.ts';

/** Positions by ForceAtlas2, started from a circle, so that the same graph gives the same picture. */
export function forceLayout(nodes: number, edges: EdgeList): Float32Array {
  const graph = new Graph({ type: 'undirected', multi: false, allowSelfLoops: false });
  for (let node = 0; node < nodes; node++) {
    // The golden angle fills a disc evenly; equal starting points would never part.
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
  return positions;
}
