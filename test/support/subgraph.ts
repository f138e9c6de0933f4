import type { Attribute, Tensor } from '../../src/training-graph.ts';
import { onnxModel, type TestModel, type TestNode } from './single-op.ts';

/**
 * A subgraph attribute: a branch of If, or the body of Loop or Scan. Outputs have no types, as exporters write them.
 */
export function subgraph(
  nodes: readonly TestNode[],
  outputs: readonly string[],
  constants: Readonly<Record<string, Tensor>> = {},
  inputs: TestModel['inputs'] = {},
): Attribute {
  return { kind: 'graph', value: onnxModel({ inputs, nodes, outputs, constants }).graph };
}
