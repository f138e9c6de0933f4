import type { Dimension, OnnxModel, OnnxNode, TensorType, ValueInfo } from '../onnx/graph.ts';
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
    else graph.addForeignNode(identity(value, name));
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
        nodes: nodes.map((node) => ({
          name: node.name,
          opType: node.opType,
          domain: node.domain,
          attributes: node.attributes,
          inputs: node.inputs.map(rename),
          outputs: node.outputs.map(rename),
        })),
      },
    },
    inputs,
    outputs,
    loss,
    gradients,
  };
}

function identity(value: string, name: string): OnnxNode {
  return { name, opType: 'Identity', domain: '', inputs: [value], outputs: [name], attributes: new Map() };
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
