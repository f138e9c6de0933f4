import type { OnnxGraph, OnnxNode } from '../onnx/graph.ts';
import { isFloatingPoint } from '../onnx/data-type.ts';
import { definedNames, subgraphsOf, valuesRead } from '../onnx/subgraphs.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { ruleOf, withoutGradient } from './gradients/table.ts';

/** Where gradients have to flow: the values between the requested ones and the loss. */
export interface GradientPaths {
  /** Values that depend on a requested one and that a target depends on, both through operators with gradients. */
  readonly values: ReadonlySet<string>;
  /** Nodes that a gradient has to pass through, in the order of the graph. */
  readonly nodes: readonly OnnxNode[];
  /** One path through a node, from a requested value to the loss, for messages. */
  describe(node: OnnxNode): string;
}

/**
 * The values that a node reads and its outputs depend on smoothly, whether or not there is a rule for it. An operator
 * without a rule is assumed to depend on all of them.
 */
function carriers(node: OnnxNode): readonly string[] {
  if (node.domain === '' && withoutGradient.has(node.opType)) return [];
  const rule = ruleOf(node);
  if (rule?.throughSubgraphs === true) return carriersOfSubgraphs(node);
  const steps = rule?.withoutGradient ?? [];
  return valuesRead(node).filter((value, index) => value !== '' && !steps.includes(index));
}

const carriersByNode = new WeakMap<OnnxNode, readonly string[]>();

/** Values outside a node's subgraphs that the outputs of these depend on. */
function carriersOfSubgraphs(node: OnnxNode): readonly string[] {
  const known = carriersByNode.get(node);
  if (known !== undefined) return known;
  const found = [...new Set(subgraphsOf(node).flatMap((graph) => carriersInto(graph)))];
  carriersByNode.set(node, found);
  return found;
}

function carriersInto(graph: OnnxGraph): readonly string[] {
  const reaching = new Set(graph.outputs.map(({ name }) => name));
  for (const node of [...graph.nodes].reverse()) {
    if (node.outputs.some((output) => reaching.has(output)))
      for (const value of carriers(node)) reaching.add(value);
  }
  for (const own of definedNames(graph)) reaching.delete(own);
  return [...reaching];
}

/**
 * Finds the paths from `wrt` to `targets`. No path leads from a value of `stops` to its inputs, nor through integers,
 * except those that represent rounded floats.
 */
export function findPaths(
  graph: GraphBuilder,
  targets: readonly string[],
  wrt: readonly string[],
  stops: ReadonlySet<string>,
): GradientPaths {
  const flows = (value: string): boolean => {
    const { elementType } = graph.type(value);
    if (stops.has(value)) return false;
    return elementType === undefined || isFloatingPoint(elementType) || isQuantized(graph, value);
  };
  const dependent = new Set(wrt);
  for (const node of graph.tape) {
    if (!carriers(node).some((input) => dependent.has(input))) continue;
    for (const output of node.outputs) if (output !== '' && flows(output)) dependent.add(output);
  }
  const reaching = new Set(targets);
  for (const node of [...graph.tape].reverse()) {
    if (!node.outputs.some((output) => reaching.has(output) && flows(output))) continue;
    for (const input of carriers(node)) reaching.add(input);
  }
  const values = new Set([...dependent].filter((value) => reaching.has(value)));
  const nodes = graph.tape.filter(
    (node) =>
      node.outputs.some((output) => values.has(output) && flows(output)) &&
      carriers(node).some((input) => values.has(input)),
  );
  return {
    values,
    nodes,
    describe: (node) => describePath(node, nodes, values, new Set(targets), new Set(wrt)),
  };
}

/** Rounding has no gradient, but paths are not meant to end where a model is quantized. */
function isQuantized(graph: GraphBuilder, value: string): boolean {
  const node = graph.producer(value);
  return node?.domain === '' && ['QuantizeLinear', 'DynamicQuantizeLinear'].includes(node.opType);
}

/** Messages name this many values at each end of a long path. */
const SHOWN = 6;

function describePath(
  node: OnnxNode,
  nodes: readonly OnnxNode[],
  values: ReadonlySet<string>,
  targets: ReadonlySet<string>,
  wrt: ReadonlySet<string>,
): string {
  const producer = new Map(nodes.flatMap((n) => n.outputs.map((output) => [output, n] as const)));
  const consumers = new Map<string, OnnxNode[]>();
  for (const n of nodes) {
    for (const value of carriers(n)) {
      const list = consumers.get(value);
      if (list === undefined) consumers.set(value, [n]);
      else list.push(n);
    }
  }
  const inputs = (n: OnnxNode | undefined): string[] => (n ? carriers(n).filter((v) => values.has(v)) : []);
  const before = shortestPath(
    inputs(node),
    (value) => wrt.has(value),
    (value) => inputs(producer.get(value)),
  );
  const after = shortestPath(
    node.outputs.filter((output) => values.has(output)),
    (value) => targets.has(value),
    (value) => (consumers.get(value) ?? []).flatMap((n) => n.outputs.filter((output) => values.has(output))),
  );
  const path = [...before.reverse(), ...after];
  const shown = path.length <= 2 * SHOWN ? path : [...path.slice(0, SHOWN), '...', ...path.slice(-SHOWN)];
  return shown.join(' -> ');
}

/** Breadth-first search from `starts` to the first goal; returns the values on the way, both ends included. */
function shortestPath(
  starts: readonly string[],
  isGoal: (value: string) => boolean,
  next: (value: string) => readonly string[],
): string[] {
  const cameFrom = new Map<string, string | undefined>(starts.map((start) => [start, undefined]));
  const queue = [...starts];
  for (const value of queue) {
    if (isGoal(value)) {
      const path: string[] = [];
      for (let at: string | undefined = value; at !== undefined; at = cameFrom.get(at)) path.push(at);
      return path.reverse();
    }
    for (const following of next(value)) {
      if (cameFrom.has(following)) continue;
      cameFrom.set(following, value);
      queue.push(following);
    }
  }
  return [];
}
