import { intAttribute } from './attributes.ts';
import type { OnnxGraph, OnnxNode, Tensor } from './graph.ts';
import { elementCount, isNumericType, tensorValues } from './tensor.ts';

/**
 * Folds shape changes of constants: exporters pass indices and weights through Reshape, Unsqueeze and Identity, and
 * their readers should see constants. Elements are shared, not copied. Values in `kept` are left alone.
 */
export function foldConstants(graph: OnnxGraph, kept: ReadonlySet<string>): OnnxGraph {
  const constants = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const output = node.outputs[0] ?? '';
    const data = constants.get(node.inputs[0] ?? '');
    if (node.domain !== '' || data === undefined || kept.has(output) || kept.has(node.inputs[0]!))
      return true;
    const dims = foldedDims(node, data, constants.get(node.inputs[1] ?? ''));
    if (dims === undefined || elementCount(dims) !== elementCount(data.dims)) return true;
    constants.set(output, { ...data, dims });
    return false;
  });
  return { ...graph, initializers: constants, nodes };
}

function foldedDims(
  node: OnnxNode,
  { dims }: Tensor,
  argument: Tensor | undefined,
): readonly number[] | undefined {
  if (node.opType === 'Identity') return dims;
  if (argument === undefined || !isNumericType(argument.elementType)) return undefined;
  const values = tensorValues(argument);
  if (node.opType === 'Reshape') {
    const copies = intAttribute(node, 'allowzero', 0) === 0;
    return copies || !values.includes(0) ? reshapedDims(dims, values) : undefined;
  }
  const axes = (rank: number): Set<number> => new Set(values.map((axis) => (axis < 0 ? axis + rank : axis)));
  if (node.opType === 'Squeeze') {
    const removed = axes(dims.length);
    return dims.filter((_, axis) => !removed.has(axis));
  }
  if (node.opType !== 'Unsqueeze') return undefined;
  const rank = dims.length + values.length;
  const added = axes(rank);
  const rest = [...dims];
  return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() ?? 1)));
}

function reshapedDims(dims: readonly number[], target: readonly number[]): readonly number[] {
  const copied = target.map((size, axis) => (size === 0 ? (dims[axis] ?? 0) : size));
  const known = copied.reduce((product, size) => (size === -1 ? product : product * size), 1);
  return copied.map((size) => (size === -1 ? elementCount(dims) / known : size));
}
