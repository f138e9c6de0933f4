import {
  floatAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
  tensorAttribute,
} from '../../../src/onnx/attributes.ts';
import { graphAttribute } from '../../../src/onnx/subgraphs.ts';
import { tensorValues } from '../../../src/onnx/tensor.ts';
import type { OnnxGraph, OnnxModel, OnnxNode, Tensor } from '../../../src/training-graph.ts';
import { ndArray, type NdArray } from './array.ts';
import { convolutionOperators } from './convolution.ts';
import { elementwiseOperators } from './elementwise.ts';
import { linearAlgebraOperators } from './linear-algebra.ts';
import { movementOperators } from './movement.ts';
import type { Operator } from './operator.ts';

const operators: Readonly<Record<string, Operator>> = {
  ...elementwiseOperators,
  ...movementOperators,
  ...linearAlgebraOperators,
  ...convolutionOperators,
};

/**
 * Runs a model in float64, whatever its types: the oracle for gradients, slow and plain. Returns every value of the
 * graph by name.
 */
export function evaluate(model: OnnxModel, inputs: Readonly<Record<string, NdArray>>): Map<string, NdArray> {
  const values = new Map(Object.entries(inputs));
  runGraph(model.graph, values);
  return values;
}

/** Adds every value of the graph to `values`. */
function runGraph({ initializers, nodes }: OnnxGraph, values: Map<string, NdArray>): void {
  for (const [name, tensor] of initializers) values.set(name, arrayOf(tensor));
  for (const node of nodes) {
    const results = node.opType === 'If' ? runBranch(node, values) : run(node, values);
    node.outputs.forEach((output, i) => {
      if (output !== '') values.set(output, results[i]!);
    });
  }
}

function runBranch(node: OnnxNode, values: ReadonlyMap<string, NdArray>): readonly NdArray[] {
  const taken = values.get(node.inputs[0]!)!.data[0] === 0 ? 'else_branch' : 'then_branch';
  const branch = graphAttribute(node, taken)!;
  const inner = new Map(values);
  runGraph(branch, inner);
  return branch.outputs.map(({ name }) => inner.get(name)!);
}

function run(node: OnnxNode, values: ReadonlyMap<string, NdArray>): readonly NdArray[] {
  const operator = operators[node.opType];
  if (operator === undefined) throw new Error(`the reference evaluator has no ${node.opType}`);
  const inputs = node.inputs.map((name) => (name === '' ? undefined : values.get(name)!));
  return operator({
    inputs,
    outputs: node.outputs.length,
    input: (index) => inputs[index]!,
    int: (name, fallback) => intAttribute(node, name, fallback),
    ints: (name) => intsAttribute(node, name),
    float: (name, fallback) => floatAttribute(node, name, fallback),
    string: (name, fallback) => stringAttribute(node, name, fallback),
    tensor: (name) => {
      const tensor = tensorAttribute(node, name);
      return tensor && arrayOf(tensor);
    },
  });
}

function arrayOf(tensor: Tensor): NdArray {
  return ndArray(tensor.dims, tensorValues(tensor));
}
