import type { EdgeColumns } from '../edges/edge-columns.ts';
import type { NetworkGraph } from './graph.ts';
import type { InferredEdges } from './inferred.ts';

/** What an edge is: of the graph, inferred, inferred and among the positives, from an input or to an output. */
export const edgeKinds = ['known', 'inferred', 'positive', 'outer'] as const;
export type EdgeKind = (typeof edgeKinds)[number];

export interface SceneEdge {
  readonly source: number;
  readonly target: number;
  readonly kind: EdgeKind;
  /** |score| as a share of the largest; 0 without one. */
  readonly strength: number;
  /** Whether it passes the filters. */
  readonly passes: boolean;
}

/** A network with its layout: what is drawn, whatever part of it is visible. */
export interface Scene {
  readonly graph: NetworkGraph;
  /** x, y of each node. */
  readonly positions: Float32Array;
  readonly edges: readonly SceneEdge[];
  /** Edges at each node. */
  readonly degrees: Uint32Array;
}

export const noScene: Scene = {
  graph: { names: [], labels: [], functions: 0, inputs: 0, known: [], outer: [] },
  positions: new Float32Array(0),
  edges: [],
  degrees: new Uint32Array(0),
};

/** What a table adds to its graph. */
export interface Scores {
  readonly table: EdgeColumns;
  readonly inferred: InferredEdges;
  readonly rowOf: (source: number, target: number) => number;
  /** 1 at the rows that pass the filters; null if all do. */
  readonly passing: Uint8Array | null;
  /** 1 at the rows of positives. */
  readonly positive: Uint8Array | null;
}

export function sceneOf(graph: NetworkGraph, positions: Float32Array, scores: Scores | null): Scene {
  const passes = (source: number, target: number) =>
    !scores?.passing || scores.passing[scores.rowOf(source, target)] === 1;
  const edges: SceneEdge[] = [
    ...graph.outer.map(([source, target]): SceneEdge => ({
      source,
      target,
      kind: 'outer',
      strength: 0,
      passes: true,
    })),
    ...graph.known.map(([source, target]): SceneEdge => ({
      source,
      target,
      kind: 'known',
      strength: 0,
      passes: passes(source, target),
    })),
  ];
  if (scores) {
    const { table, inferred, positive } = scores;
    for (const row of inferred.rows)
      edges.push({
        source: table.src[row]!,
        target: table.dst[row]!,
        kind: positive?.[row] ? 'positive' : 'inferred',
        strength: Math.abs(table.score[row]!) / (inferred.extent || 1),
        passes: true,
      });
  }
  const degrees = new Uint32Array(graph.names.length);
  for (const { source, target } of edges) {
    degrees[source]! += 1;
    degrees[target]! += 1;
  }
  return { graph, positions, edges, degrees };
}

/** Nodes at most `hops` steps away from any of `nodes`, in either direction. */
export function neighbourhood({ graph, edges }: Scene, nodes: readonly number[], hops: number): Uint8Array {
  const near = new Uint8Array(graph.names.length);
  for (const node of nodes) near[node] = 1;
  for (let hop = 0; hop < hops; hop++) {
    const before = near.slice();
    for (const { source, target } of edges) {
      if (before[source]) near[target] = 1;
      if (before[target]) near[source] = 1;
    }
  }
  return near;
}
