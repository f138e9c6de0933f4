import { FreshNames } from '../onnx/fresh-names.ts';
import {
  identityNode,
  type Dimension,
  type OnnxModel,
  type OnnxNode,
  type TensorType,
  type ValueInfo,
} from '../onnx/graph.ts';
import { mapSubgraphs, renameNode, subgraphsOf, valuesRead } from '../onnx/subgraphs.ts';
import { neededFor } from '../onnx/topology.ts';
import type { ForwardGraph } from './forward.ts';
import { samplesLast } from './samples-last.ts';

/** Values of the grown graph that become its outputs. */
interface Wanted {
  readonly target: string;
  readonly loss: string;
  readonly outputs: readonly string[];
  /** Gradient value by the value that it belongs to. */
  readonly gradients: ReadonlyMap<string, string>;
}

interface Assembled {
  readonly model: OnnxModel;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly loss: string;
  readonly gradients: ReadonlyMap<string, string>;
}

/**
 * Turns the grown graph into a model: outputs get their names (`loss`, `<value>.grad`), nodes and constants that no
 * output needs are left out, notes of the producer with them.
 */
export function assemble(forward: ForwardGraph, wanted: Wanted): Assembled {
  const { graph, model } = forward;
  const renamed = new Map<string, string>();
  // A value that was added here takes the output's name; any other is passed on under it.
  const publish = (value: string, wish: string): string => {
    const name = graph.freshName(wish);
    const added = !forward.has(value) && graph.producer(value) !== undefined;
    if (added && !renamed.has(value)) renamed.set(value, name);
    else graph.addForeignNode(identityNode(name, value, name));
    return name;
  };
  const loss = publish(wanted.loss, 'loss');
  const gradients = new Map<string, string>();
  for (const [value, gradient] of wanted.gradients) gradients.set(value, publish(gradient, `${value}.grad`));
  const outputs = [...new Set([loss, ...wanted.outputs, ...gradients.values()])];

  const original = new Map([...renamed].map(([from, to]) => [to, from]));
  const results = outputs.map((name) => original.get(name) ?? name);
  const inOrder = neededFor(graph.nodes, results).nodes;
  const { nodes, values: used } = neededFor(samplesLast(graph, inOrder, results), results);
  // Most nodes are called as the value that they produce, which nothing else is called.
  const isNamedByOutput = (node: OnnxNode | undefined): boolean =>
    node !== undefined && node.name !== '' && node.name === node.outputs[0];
  const names = new FreshNames([], (name) => isNamedByOutput(graph.producer(name)));
  const given = model.graph.inputs.map(({ name }) => name);
  const inputs = [...given, wanted.target, ...forward.parameters.keys()].filter((name) => used.has(name));
  const describe = (name: string): ValueInfo => ({
    name,
    type: publicType(graph.type(original.get(name) ?? name)),
  });
  return {
    model: {
      irVersion: Math.max(model.irVersion, 8),
      opsets: model.opsets,
      metadata: model.metadata,
      functions: [],
      graph: {
        name: model.graph.name === '' ? 'training' : model.graph.name,
        inputs: inputs.map(describe),
        outputs: outputs.map(describe),
        valueTypes: new Map(),
        initializers: new Map([...graph.initializers].filter(([name]) => used.has(name))),
        nodes: renamedNodes(withUniqueNames(nodes, names, isNamedByOutput), renamed),
      },
    },
    inputs,
    outputs,
    loss,
    gradients,
  };
}

/** The nodes with values renamed; most read and produce none of these, and are given back as they are. */
function renamedNodes(nodes: readonly OnnxNode[], names: ReadonlyMap<string, string>): OnnxNode[] {
  const isRenamed = (value: string): boolean => names.has(value);
  return nodes.map((node) =>
    node.outputs.some(isRenamed) || valuesRead(node).some(isRenamed)
      ? renameNode(node, (value) => names.get(value) ?? value)
      : node,
  );
}

/** Runtimes refuse two nodes of one name. What else the messages held that nodes were read from is left out. */
function withUniqueNames(
  nodes: readonly OnnxNode[],
  names: FreshNames,
  isUnique: (node: OnnxNode) => boolean = () => false,
): OnnxNode[] {
  return nodes.map((node) => {
    const name = node.name === '' || isUnique(node) ? node.name : names.take(node.name);
    if (name === node.name && node.source === undefined && subgraphsOf(node).length === 0) return node;
    const { attributes } = mapSubgraphs(node, (inner) => ({
      ...inner,
      nodes: withUniqueNames(inner.nodes, names),
    }));
    return {
      name,
      opType: node.opType,
      domain: node.domain,
      attributes,
      inputs: node.inputs,
      outputs: node.outputs,
    };
  });
}

/** Names that shape inference made up mean nothing to a reader of the file. */
function publicType({ elementType, shape }: TensorType): TensorType {
  return {
    elementType,
    shape: shape?.map((size): Dimension =>
      typeof size === 'string' && size.includes('#') ? undefined : size,
    ),
  };
}
