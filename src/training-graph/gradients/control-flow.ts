import { describeNode } from '../../onnx/attributes.ts';
import { DataType } from '../../onnx/data-type.ts';
import { identityNode, type OnnxGraph, type OnnxNode } from '../../onnx/graph.ts';
import { graphAttribute, renameGraph, subgraphsOf, valuesRead } from '../../onnx/subgraphs.ts';
import { neededNodes, nodeDependencies } from '../../onnx/topology.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { isRandom } from '../graph-recorder.ts';
import type { InputGradients, RuleContext, RuleTable } from './rule.ts';

/**
 * The gradient of an If is an If. Each branch recomputes its values, since those of the forward branch cannot be read
 * from outside, and differentiates them. Values that a branch does not depend on get zeros from it.
 */
function conditional(context: RuleContext): InputGradients {
  const { graph, node, needs, unsupported } = context;
  const reads = valuesRead(node);
  const wrt = reads.filter((_, index) => index >= node.inputs.length && needs(index));
  const branches = ['then_branch', 'else_branch'].map((name) => {
    const branch = graphAttribute(node, name);
    if (branch === undefined) throw new TypeError(`there is no ${name}`);
    if (hasRandom(branch)) unsupported('a branch with random numbers');
    return [name, { kind: 'graph', value: backwardBranch(context, name, branch, wrt) }] as const;
  });
  const name = graph.freshName(`${graph.scope}${node.opType}`);
  const outputs = wrt.map((value) => graph.freshName(`${name}/${value}`));
  const backward: OnnxNode = {
    name,
    opType: 'If',
    domain: '',
    inputs: [node.inputs[0] ?? ''],
    outputs,
    attributes: new Map(branches),
  };
  graph.addForeignNode(backward, new Map(wrt.map((value, i) => [outputs[i]!, graph.type(value)])));
  const gradients = new Map(wrt.map((value, i) => [value, outputs[i]!]));
  return reads.map((value, index) => (index < node.inputs.length ? undefined : gradients.get(value)));
}

/** A graph that computes the gradients of `wrt`, values outside the branch, from those of the branch's outputs. */
function backwardBranch(
  { graph, node, gradients, backward }: RuleContext,
  name: string,
  branch: OnnxGraph,
  wrt: readonly string[],
): OnnxGraph {
  const inner = graph.inner(`${graph.scope}${name}/`);
  const outputs = addCopy(inner, branch);
  const seeds = new Map<string, string[]>();
  gradients.forEach((gradient, i) => {
    const output = outputs[i];
    if (gradient === undefined || output === undefined) return;
    // When this branch runs, the gradient has the shape of this branch's output.
    inner.addInput(gradient, inner.type(output));
    const seeded = seeds.get(output);
    if (seeded === undefined) seeds.set(output, [gradient]);
    else seeded.push(gradient);
  });
  const found = backward(inner, seeds, wrt, `${name} of ${describeNode(node)}`);
  return bodyOf(
    inner,
    name,
    wrt.map((value) => found.get(value) ?? inner.zerosLike(value)),
  );
}

/** Adds a branch's nodes and constants under new names; returns its outputs. */
function addCopy(inner: GraphBuilder, branch: OnnxGraph): readonly string[] {
  const own = new Map<string, string>();
  for (const name of [...branch.initializers.keys(), ...branch.nodes.flatMap(({ outputs }) => outputs)])
    if (name !== '') own.set(name, inner.freshName(inner.scope + name));
  const copy = renameGraph(branch, (name) => own.get(name) ?? name);
  for (const [name, tensor] of copy.initializers) inner.addInitializer(name, tensor);
  for (const node of copy.nodes)
    inner.addModelNode({ ...node, name: node.name === '' ? '' : inner.scope + node.name }, copy.valueTypes);
  return copy.outputs.map(({ name }) => name);
}

/** The nodes added to `inner`, as a subgraph with the given outputs. */
function bodyOf(inner: GraphBuilder, name: string, values: readonly string[]): OnnxGraph {
  // An output has to be produced inside, and under a name of its own.
  const outputs = values.map((value) => {
    const output = inner.freshName(`${inner.scope}output`);
    inner.addForeignNode(identityNode(output, value, output));
    return output;
  });
  const nodes = neededNodes(inner.nodes, outputs);
  const used = new Set(nodes.flatMap(nodeDependencies));
  return {
    name,
    inputs: [],
    outputs: outputs.map((output) => ({
      name: output,
      type: { elementType: DataType.float32, shape: undefined },
    })),
    valueTypes: new Map(),
    initializers: new Map([...inner.initializers].filter(([constant]) => used.has(constant))),
    nodes,
  };
}

function hasRandom(graph: OnnxGraph): boolean {
  return graph.nodes.some((node) => isRandom(node) || subgraphsOf(node).some(hasRandom));
}

/** Operators with subgraphs. */
export const controlFlowRules: RuleTable = {
  If: {
    throughSubgraphs: true,
    allOutputs: true,
    apply: conditional,
    note: 'both branches and the outer values that they read; if the condition is known when the graph is built, only one remains; no random numbers inside',
  },
};
