import { attributeText } from '../onnx/attributes.ts';
import { DataType } from '../onnx/data-type.ts';
import { encodeModel } from '../onnx/encode.ts';
import type { OnnxModel, OnnxNode, ValueInfo } from '../onnx/graph.ts';
import { inlineFunctions } from '../onnx/inline-functions.ts';
import { ShapeInference } from '../onnx/shape-inference/infer.ts';
import { nodeDependencies } from '../onnx/topology.ts';

/** An operator that the WebGPU provider leaves to the CPU; every value that crosses over is copied. */
export interface CpuOperator {
  /** As in the file, with its domain if that is not the standard one: `Squeeze`, `com.example.Squash`. */
  readonly operator: string;
  /** Names of the nodes, in the order of the graph. */
  readonly nodes: readonly string[];
}

/**
 * Finds the nodes of a model that a provider leaves to the CPU, by testing each node alone. Integers computed from
 * integers are tested together with the nodes they come from, since the runtime keeps them where those ran. Nodes that
 * agree in everything that selects a kernel (operator, attributes, types, what is constant) are tested once. Nodes of
 * constants alone are skipped: the runtime computes them before anything runs.
 * @param supports whether a model runs without the CPU
 */
export async function findCpuOperators(
  model: OnnxModel,
  supports: (file: Uint8Array) => Promise<boolean>,
): Promise<readonly CpuOperator[]> {
  const inlined = inlineFunctions(model);
  const values = valuesOf(inlined);
  const producers = new Map(inlined.graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const answers = new Map<string, Promise<boolean>>();
  const found = new Map<string, string[]>();
  for (const node of inlined.graph.nodes) {
    if (nodeDependencies(node).every((value) => values.constant(value) !== undefined)) continue;
    const testedNodes = isWholeNumbers(node, values) ? withSources(node, values, producers) : [node];
    const key = JSON.stringify(testedNodes.map((part) => signature(part, values)));
    const answer = answers.get(key) ?? supports(encodeModel(partOf(inlined, testedNodes, values)));
    answers.set(key, answer);
    if (await answer) continue;
    const operator = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
    const nodes = found.get(operator);
    if (nodes) nodes.push(node.name);
    else found.set(operator, [node.name]);
  }
  return Array.from(found, ([operator, nodes]) => ({ operator, nodes }));
}

/** The message for people. */
export function leftToCpu(operators: readonly CpuOperator[]): string {
  const list = operators.map(({ operator, nodes }) =>
    nodes.length > 1 ? `${operator} (${nodes.length} nodes)` : operator,
  );
  return `The runtime's WebGPU provider runs some operators of the training graph on the CPU, and copies their inputs and outputs: ${list.join(', ')}.`;
}

/** What can be inferred about every value of a model. */
function valuesOf({ graph }: OnnxModel): ShapeInference {
  const values = new ShapeInference();
  for (const { name, type } of graph.inputs) values.addInput(name, type);
  for (const [name, tensor] of graph.initializers) values.addConstant(name, tensor);
  const declared = new Map([
    ...graph.outputs.map(({ name, type }) => [name, type] as const),
    ...graph.valueTypes,
  ]);
  for (const node of graph.nodes) values.addNode(node, declared);
  return values;
}

/** Whether a node computes integers from integers: sizes, mostly. */
function isWholeNumbers({ inputs, outputs }: OnnxNode, values: ShapeInference): boolean {
  return [...inputs, ...outputs].every((name) => name === '' || isWhole(name, values));
}

function isWhole(value: string, values: ShapeInference): boolean {
  const { elementType } = values.type(value);
  return elementType === DataType.int64 || elementType === DataType.int32;
}

/** A node, preceded by the nodes that its integers come from, in topological order. */
function withSources(
  node: OnnxNode,
  values: ShapeInference,
  producers: ReadonlyMap<string, OnnxNode>,
): readonly OnnxNode[] {
  const sources = new Set<OnnxNode>();
  const open = [node];
  while (open.length > 0) {
    const one = open.at(-1)!;
    const before = nodeDependencies(one).flatMap((name) => {
      const producer = producers.get(name);
      return producer !== undefined && isWhole(name, values) && !sources.has(producer) ? [producer] : [];
    });
    if (before.length > 0) open.push(...before);
    else {
      sources.add(one);
      open.pop();
    }
  }
  return [...sources];
}

/**
 * The model reduced to some of its nodes: what they read from others becomes an input, what the last one returns an
 * output.
 */
function partOf(model: OnnxModel, nodes: readonly OnnxNode[], values: ShapeInference): OnnxModel {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const read = [...new Set(nodes.flatMap(nodeDependencies))].filter((name) => !made.has(name));
  const constants = read.flatMap((name) => {
    const tensor = values.constant(name);
    return tensor === undefined ? [] : [[name, tensor] as const];
  });
  const info = (name: string): ValueInfo => ({ name, type: values.type(name) });
  return {
    ...model,
    graph: {
      name: model.graph.name,
      inputs: read.filter((name) => values.constant(name) === undefined).map(info),
      outputs: nodes
        .at(-1)!
        .outputs.filter((name) => name !== '')
        .map(info),
      valueTypes: new Map(),
      initializers: new Map(constants),
      nodes,
    },
  };
}

/** Equal for nodes that get the same kernel. */
function signature(node: OnnxNode, values: ShapeInference): unknown {
  const attributes: string[] = [];
  for (const [name, attribute] of node.attributes) {
    const text = attributeText(attribute);
    // An attribute that cannot be compared makes the node unique.
    if (text === undefined) return node.name;
    attributes.push(`${name}:${text}`);
  }
  const operands = [...node.inputs, ...node.outputs].map((name) => {
    const { elementType, shape } = values.type(name);
    return [elementType ?? 0, shape?.length ?? -1, values.constant(name) !== undefined];
  });
  return [node.domain, node.opType, node.inputs.length, attributes.sort(), operands];
}
