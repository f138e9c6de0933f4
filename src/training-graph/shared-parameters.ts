import type { OnnxNode } from '../onnx/graph.ts';
import { neededNodes, nodeDependencies } from '../onnx/topology.ts';

/**
 * The parameters that more than one node behind `prediction` reads, directly or through Identity, with the names of
 * these nodes (an unnamed node is listed by its output). Gradients of such parameters are sums over all uses.
 */
export function sharedParameters(
  nodes: readonly OnnxNode[],
  prediction: string,
  parameters: Iterable<string>,
): ReadonlyMap<string, readonly string[]> {
  const root = new Map<string, string>();
  const readers = new Map<string, string[]>();
  for (const parameter of parameters) {
    root.set(parameter, parameter);
    readers.set(parameter, []);
  }
  for (const node of neededNodes(nodes, [prediction])) {
    const read = new Set(nodeDependencies(node).flatMap((value) => root.get(value) ?? []));
    const output = node.outputs[0] ?? '';
    for (const parameter of read) {
      if (node.opType === 'Identity' && node.domain === '') root.set(output, parameter);
      else readers.get(parameter)!.push(node.name === '' ? output : node.name);
    }
  }
  return new Map([...readers].filter(([, names]) => names.length > 1));
}
