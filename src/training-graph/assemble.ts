import { FreshNames } from '../onnx/fresh-names.ts';
import {
  identityNode,
  type Dimension,
  type OnnxModel,
  type OnnxNode,
  type TensorType,
  type ValueInfo,
} from '../onnx/graph.ts';
import { mapSubgraphs, renameNode } from '../onnx/subgraphs.ts';
import { neededNodes, nodeDependencies } from '../onnx/topology.ts';
import type { ForwardGraph } from './forward.ts';

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

  const rename = (value: string): string => renamed.get(value) ?? value;
  const original = new Map([...renamed].map(([from, to]) => [to, from]));
  const nodes = neededNodes(
    graph.nodes,
    outputs.map((name) => original.get(name) ?? name),
  );
  const used = new Set([...outputs, ...nodes.flatMap(nodeDependencies)]);
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
        nodes: withUniqueNames(
          nodes.map((node) => renameNode(node, rename)),
          new FreshNames(),
        ),
      },
    },
    inputs,
    outputs,
    loss,
    gradients,
  };
}

/** Runtimes refuse two nodes of one name. What else the messages held that nodes were read from is left out. */
function withUniqueNames(nodes: readonly OnnxNode[], names: FreshNames): OnnxNode[] {
  return nodes.map((node) => {
    const { attributes } = mapSubgraphs(node, (inner) => ({
      ...inner,
      nodes: withUniqueNames(inner.nodes, names),
    }));
    return {
      name: node.name === '' ? '' : names.take(node.name),
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
