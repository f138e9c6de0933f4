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

/** Values of the extended graph that become its outputs. */
interface PublishedValues {
  readonly target: string;
  readonly sampleWeights: string | undefined;
  readonly loss: string;
  readonly outputs: readonly string[];
  /** Names of gradients, by the name of the value that each belongs to. */
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
 * Turns the extended graph into a model: names its outputs (`loss`, `<value>.grad`), and drops nodes and constants that
 * no output needs, with the producer's notes.
 */
export function assemble(forward: ForwardGraph, published: PublishedValues): Assembled {
  const { graph, model } = forward;
  const renamed = new Map<string, string>();
  // An added value takes the output's name; for any other, an Identity does.
  const publish = (value: string, wish: string): string => {
    const name = graph.freshName(wish);
    const added = !forward.has(value) && graph.producer(value) !== undefined;
    if (added && !renamed.has(value)) renamed.set(value, name);
    else graph.addForeignNode(identityNode(name, value, name));
    return name;
  };
  const loss = publish(published.loss, 'loss');
  const gradients = new Map<string, string>();
  for (const [value, gradient] of published.gradients)
    gradients.set(value, publish(gradient, `${value}.grad`));
  const outputs = [...new Set([loss, ...published.outputs, ...gradients.values()])];

  const original = new Map([...renamed].map(([from, to]) => [to, from]));
  const results = outputs.map((name) => original.get(name) ?? name);
  const inOrder = neededFor(graph.nodes, results).nodes;
  const { nodes, values: used } = neededFor(samplesLast(graph, inOrder, results), results);
  // Most nodes have the name of the value that they produce, which is unique.
  const isNamedByOutput = (node: OnnxNode | undefined): boolean =>
    node !== undefined && node.name !== '' && node.name === node.outputs[0];
  const names = new FreshNames([], (name) => isNamedByOutput(graph.producer(name)));
  const modelInputs = model.graph.inputs.map(({ name }) => name);
  const { target, sampleWeights = [] } = published;
  const inputs = [modelInputs, target, sampleWeights, ...forward.parameters.keys()]
    .flat()
    .filter((name) => used.has(name));
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

/** The nodes with values renamed; most read and produce none of these, and are returned as they are. */
function renamedNodes(nodes: readonly OnnxNode[], names: ReadonlyMap<string, string>): OnnxNode[] {
  const isRenamed = (value: string): boolean => names.has(value);
  return nodes.map((node) =>
    node.outputs.some(isRenamed) || valuesRead(node).some(isRenamed)
      ? renameNode(node, (value) => names.get(value) ?? value)
      : node,
  );
}

/**
 * Makes node names unique, since runtimes reject duplicates. Other contents of the nodes' source messages are dropped.
 */
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
