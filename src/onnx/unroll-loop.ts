import { DataType } from './data-type.ts';
import { identityNode, type OnnxGraph, type OnnxNode, type Tensor } from './graph.ts';
import { ShapeInference } from './shape-inference/infer.ts';
import { allDefinedNames, graphAttribute, renameNode } from './subgraphs.ts';
import { int64Tensor, numericTensor } from './tensor.ts';

/** The replacement of a node: nodes in topological order, and constants that they read. */
export interface Expansion {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, Tensor>;
}

const yes = numericTensor(DataType.bool, [], [1]);

/**
 * Unrolls a Loop whose number of iterations is known and whose condition never ends it; undefined for any other node,
 * and for loops that would exceed `mostNodes` nodes.
 * @param fresh returns an unused name similar to the given one
 */
export function unrolledLoop(
  node: OnnxNode,
  inference: ShapeInference,
  fresh: (name: string) => string,
  mostNodes: number,
): Expansion | undefined {
  const body = node.opType === 'Loop' && node.domain === '' ? graphAttribute(node, 'body') : undefined;
  const runs = inference.contents(node.inputs[0] ?? '')?.values[0];
  if (
    body === undefined ||
    typeof runs !== 'number' ||
    runs < 1 ||
    runs * (body.nodes.length + 1) > mostNodes
  )
    return undefined;
  if (!conditionStaysTrue(node, body, inference)) return undefined;
  const [iteration = '', condition = '', ...states] = body.inputs.map(({ name }) => name);
  const results = body.outputs.slice(1).map(({ name }) => name);
  let carried = node.inputs.slice(2);
  if (states.length !== carried.length || results.length < carried.length) return undefined;

  const label = node.outputs.find((output) => output !== '') ?? '';
  const constants = new Map<string, string>([[condition, fresh(`${label}/goes_on`)]]);
  const initializers = new Map([[constants.get(condition)!, yes]]);
  for (const [name, tensor] of body.initializers) {
    constants.set(name, fresh(name));
    initializers.set(constants.get(name)!, tensor);
  }
  const nodes: OnnxNode[] = [];
  const collected: string[][] = results.slice(carried.length).map(() => []);
  for (let run = 0; run < runs; run++) {
    const counter = fresh(`${label}/run`);
    initializers.set(counter, int64Tensor([], [run]));
    const names = new Map([...constants, [iteration, counter]]);
    states.forEach((state, k) => names.set(state, carried[k]!));
    for (const name of new Set(allDefinedNames(body))) if (!names.has(name)) names.set(name, fresh(name));
    const rename = (name: string): string => names.get(name) ?? name;
    nodes.push(...body.nodes.map((one) => renameNode(one, rename)));
    carried = results.slice(0, carried.length).map(rename);
    results.slice(carried.length).forEach((name, k) => collected[k]!.push(rename(name)));
  }

  node.outputs.forEach((output, k) => {
    if (output === '') return;
    if (k < carried.length) nodes.push(identityNode('', carried[k]!, output));
    else nodes.push(...stacked(collected[k - carried.length] ?? [], output, fresh, initializers));
  });
  return { nodes, initializers };
}

/** Stacks the values of all iterations along a new first axis. */
function stacked(
  values: readonly string[],
  output: string,
  fresh: (name: string) => string,
  initializers: Map<string, Tensor>,
): OnnxNode[] {
  const axes = fresh(`${output}/axes`);
  initializers.set(axes, int64Tensor([1], [0]));
  const node = (opType: string, inputs: string[], made: string): OnnxNode => ({
    ...identityNode('', '', made),
    opType,
    inputs,
  });
  const parts = values.map((value) => node('Unsqueeze', [value, axes], fresh(`${output}/part`)));
  const joined = node(
    'Concat',
    parts.map(({ outputs }) => outputs[0]!),
    output,
  );
  return [...parts, { ...joined, attributes: new Map([['axis', { kind: 'int', value: 0n }]]) }];
}

/** Whether the initial condition is true, and the body is known to keep it true. */
function conditionStaysTrue(node: OnnxNode, body: OnnxGraph, inference: ShapeInference): boolean {
  const condition = node.inputs[1] ?? '';
  if (condition !== '' && inference.contents(condition)?.values[0] !== 1) return false;
  const inner = new ShapeInference(inference);
  for (const { name, type } of body.inputs) inner.addInput(name, type);
  if (body.inputs[1] !== undefined) inner.addConstant(body.inputs[1].name, yes);
  for (const [name, tensor] of body.initializers) inner.addConstant(name, tensor);
  for (const one of body.nodes) inner.addNode(one, body.valueTypes);
  return inner.contents(body.outputs[0]?.name ?? '')?.values[0] === 1;
}
