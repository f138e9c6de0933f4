import type { GraphBuilder } from '../graph-builder.ts';

/** The shape of `x` as a tensor, with another size along `axis`. `size` is a one-element int64 tensor. */
function shapeWith(graph: GraphBuilder, x: string, axis: number, size: string): string {
  const rank = graph.rank(x)!;
  const parts = [size];
  if (axis > 0) parts.unshift(graph.op('Shape', [x], { start: { int: 0 }, end: { int: axis } }));
  if (axis < rank - 1) parts.push(graph.op('Shape', [x], { start: { int: axis + 1 } }));
  return graph.concat(parts, 0);
}

/**
 * Accumulates the slices of `values` along `axis` at `positions` of an axis of `size` elements, zeros elsewhere: the
 * transpose of Gather. `positions` and `size` are one-dimensional int64 tensors, `size` of one element; the rank of
 * `values` has to be known.
 */
export function scatterAlongAxis(
  graph: GraphBuilder,
  values: string,
  positions: string,
  axis: number,
  size: string,
): string {
  const zeros = graph.op('Expand', [graph.scalar(0), shapeWith(graph, values, axis, size)]);
  const trailing = graph.rank(values)! - 1 - axis;
  const aligned = graph.unsqueeze(
    positions,
    Array.from({ length: trailing }, (_, i) => i + 1),
  );
  const indices = graph.op('Expand', [aligned, graph.op('Shape', [values])]);
  return graph.op('ScatterElements', [zeros, indices, values], {
    axis: { int: axis },
    reduction: { string: 'add' },
  });
}
