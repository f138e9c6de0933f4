import { MagnitudeEdgeError } from '../errors.ts';
import { edgeTypes, type EdgeIndex, type GsnnGraph } from './graph.ts';

/** An edge by the indices of its nodes within their own node types. */
export interface MaskableEdge {
  readonly type: keyof GsnnGraph['edgeIndex'];
  readonly source: number;
  readonly target: number;
}

/** An edge by the names of its nodes. */
export type NamedEdge = readonly [src: string, dst: string];

/** The names of an edge's nodes in a graph. */
export function edgeNames({ type, source, target }: MaskableEdge, { nodeNames }: GsnnGraph): NamedEdge {
  const [sources, targets] = type.split(',') as ['input' | 'function', 'function' | 'output'];
  return [nodeNames[sources][source]!, nodeNames[targets][target]!];
}

/**
 * The values of a model's `edge_mask` input: 0 for every edge with one of the given names, 1 for all others.
 * @param edges names in the order of the input; an edge may occur more than once
 * @returns `[edges]`, owned by the caller
 * @throws MagnitudeEdgeError `invalid-argument` for an edge that is not among them
 */
export function edgeMaskValues(edges: readonly NamedEdge[], masked: Iterable<NamedEdge>): Float32Array {
  const positions = new Map<string, number[]>();
  edges.forEach((edge, position) => {
    const key = JSON.stringify(edge);
    const known = positions.get(key);
    if (known) known.push(position);
    else positions.set(key, [position]);
  });
  const mask = new Float32Array(edges.length).fill(1);
  for (const [src, dst] of masked) {
    const found = positions.get(JSON.stringify([src, dst]));
    if (!found) {
      throw new MagnitudeEdgeError(
        'invalid-argument',
        `The edge '${src}' -> '${dst}' cannot be masked: the model has no such edge.`,
        { details: { src, dst } },
      );
    }
    for (const position of found) mask[position] = 0;
  }
  return mask;
}

/**
 * A graph without the edges that a mask sets to 0, which is what the masked model computed with: for conditioning sets
 * and `has_edge`. Edges are matched by index, so the graph may have other names than the model.
 */
export function graphUnderMask(
  graph: GsnnGraph,
  edges: readonly MaskableEdge[],
  mask: ArrayLike<number>,
): GsnnGraph {
  const key = (type: string, source: number, target: number): string => `${type} ${source} ${target}`;
  const gone = new Set(
    edges.filter((_, edge) => mask[edge] === 0).map(({ type, source, target }) => key(type, source, target)),
  );
  const keep = (type: keyof GsnnGraph['edgeIndex']): EdgeIndex => {
    const [sources, targets] = graph.edgeIndex[type];
    const kept = Array.from(sources, (_, edge) => edge).filter(
      (edge) => !gone.has(key(type, sources[edge]!, targets[edge]!)),
    );
    return [kept.map((edge) => sources[edge]!), kept.map((edge) => targets[edge]!)];
  };
  return {
    nodeNames: graph.nodeNames,
    edgeIndex: Object.fromEntries(
      edgeTypes.map((type) => [type, keep(type)]),
    ) as unknown as GsnnGraph['edgeIndex'],
  };
}
