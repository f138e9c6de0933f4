import dagre from '@dagrejs/dagre';
import type { EdgeList } from './graph.ts';

/**
 * Most edges for which dagre is fast enough to wait for: its time grows with their square (300 take half a second,
 * 1,900 eleven).
 */
export const mostForDagre = 300;

/**
 * Positions in layers by dagre, which keeps long edges clear of the nodes between their ends; in the units of
 * `layeredLayout`.
 */
export function dagreLayout(nodes: number, edges: EdgeList): Float32Array {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 20, edgesep: 6, ranksep: 70 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (let node = 0; node < nodes; node++) graph.setNode(String(node), { width: 8, height: 8 });
  for (const [source, target] of edges) graph.setEdge(String(source), String(target));
  dagre.layout(graph);
  const unit = 28;
  const positions = new Float32Array(2 * nodes);
  for (let node = 0; node < nodes; node++) {
    const { x, y } = graph.node(String(node)) as { x: number; y: number };
    positions.set([x / unit, y / unit], 2 * node);
  }
  return positions;
}
