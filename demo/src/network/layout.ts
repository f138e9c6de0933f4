import { dagreLayout, mostForDagre } from './dagre.ts';
import { forceLayout } from './force.ts';
import type { EdgeList, NetworkGraph } from './graph.ts';
import { layeredLayout } from './layered.ts';
import { withoutCycles } from './without-cycles.ts';

export const layoutKinds = ['layers', 'force'] as const;
export type LayoutKind = (typeof layoutKinds)[number];

export interface NetworkLayout {
  readonly kind: LayoutKind;
  /** x, y of each node. */
  readonly positions: Float32Array;
  /** Number of edges that run against the layers, because they close cycles. */
  readonly backward: number;
}

/** Lays a graph out by its known edges alone, so that the layout does not depend on what is inferred. */
export function layOutGraph({ names, known, outer }: NetworkGraph, kind: LayoutKind): NetworkLayout {
  const edges: EdgeList = [...known, ...outer];
  if (kind === 'force') return { kind, positions: forceLayout(names.length, edges), backward: 0 };
  const { edges: forward, turned } = withoutCycles(names.length, edges);
  const place = edges.length <= mostForDagre ? dagreLayout : layeredLayout;
  return { kind, positions: place(names.length, forward), backward: turned };
}
