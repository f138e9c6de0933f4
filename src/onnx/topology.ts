import { MagnitudeEdgeError } from '../errors.ts';
import { describeNode } from './attributes.ts';
import type { OnnxGraph, OnnxNode } from './graph.ts';
import type { AttributeProto, GraphProto } from './schema/onnx_pb.ts';

/**
 * The nodes in an order in which every value is there before it is used; the file's own order where that holds.
 * Throws `invalid-model` for values that nothing or more than one thing produces, and for cycles.
 */
export function sortedNodes(
  graph: Pick<OnnxGraph, 'inputs' | 'outputs' | 'initializers' | 'nodes'>,
): OnnxNode[] {
  const producer = producers(graph);
  const given = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  const waiting = new Map<OnnxNode, number>();
  const consumers = new Map<OnnxNode, OnnxNode[]>();
  const ready: OnnxNode[] = [];
  for (const node of graph.nodes) {
    const sources = new Set<OnnxNode>();
    for (const value of nodeDependencies(node)) {
      if (given.has(value)) continue;
      const source = producer.get(value);
      if (source === undefined) {
        throw new MagnitudeEdgeError(
          'invalid-model',
          `${describeNode(node)} reads the value '${value}', which nothing in the graph produces.`,
          { details: { value } },
        );
      }
      sources.add(source);
    }
    waiting.set(node, sources.size);
    if (sources.size === 0) ready.push(node);
    for (const source of sources) {
      const list = consumers.get(source);
      if (list === undefined) consumers.set(source, [node]);
      else list.push(node);
    }
  }
  for (const { name } of graph.outputs) {
    if (given.has(name) || producer.has(name)) continue;
    throw new MagnitudeEdgeError(
      'invalid-model',
      `The graph output '${name}' is produced by nothing in the graph.`,
      {
        details: { value: name },
      },
    );
  }
  if (isSorted(graph.nodes, producer)) return [...graph.nodes];
  // The list grows while it is walked.
  for (const done of ready) {
    for (const consumer of consumers.get(done) ?? []) {
      const left = waiting.get(consumer)! - 1;
      waiting.set(consumer, left);
      if (left === 0) ready.push(consumer);
    }
  }
  if (ready.length < graph.nodes.length) {
    const stuck = graph.nodes.find((node) => waiting.get(node)! > 0)!;
    throw new MagnitudeEdgeError('invalid-model', `${describeNode(stuck)} lies on a cycle, or behind one.`);
  }
  return ready;
}

/** The node that produces each value. Throws `invalid-model` where a name is given twice. */
function producers(graph: Pick<OnnxGraph, 'inputs' | 'initializers' | 'nodes'>): Map<string, OnnxNode> {
  const producer = new Map<string, OnnxNode>();
  const given = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  for (const node of graph.nodes) {
    for (const value of node.outputs) {
      if (value === '') continue;
      if (producer.has(value) || given.has(value)) {
        throw new MagnitudeEdgeError('invalid-model', `The value '${value}' is produced more than once.`, {
          details: { value },
        });
      }
      producer.set(value, node);
    }
  }
  return producer;
}

function isSorted(nodes: readonly OnnxNode[], producer: ReadonlyMap<string, OnnxNode>): boolean {
  const done = new Set<OnnxNode>();
  for (const node of nodes) {
    for (const value of nodeDependencies(node)) {
      const source = producer.get(value);
      if (source !== undefined && !done.has(source)) return false;
    }
    done.add(node);
  }
  return true;
}

/** The values that a node reads: its inputs, and what its subgraphs take from outside. */
export function nodeDependencies(node: OnnxNode): string[] {
  const names = new Set(node.inputs.filter((value) => value !== ''));
  for (const attribute of node.attributes.values()) {
    if (attribute.kind !== 'opaque') continue;
    for (const graph of subgraphs(attribute.value)) for (const name of freeNames(graph)) names.add(name);
  }
  return [...names];
}

/** The nodes that `outputs` depend on, in the order given, which must be one in which they can run. */
export function neededNodes(nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxNode[] {
  const needed = new Set(outputs);
  const kept: OnnxNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    kept.push(node);
    for (const value of nodeDependencies(node)) needed.add(value);
  }
  return kept.reverse();
}

/** Every name that occurs in a subgraph of the node, for choosing fresh ones. */
export function subgraphNames(node: OnnxNode): string[] {
  const names: string[] = [];
  const visit = (graph: GraphProto): void => {
    names.push(...graph.input.map(({ name }) => name), ...graph.initializer.map(({ name }) => name));
    for (const inner of graph.node) {
      names.push(...inner.output, ...inner.input);
      for (const attribute of inner.attribute) subgraphs(attribute).forEach(visit);
    }
  };
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'opaque') subgraphs(attribute.value).forEach(visit);
  }
  return names;
}

function subgraphs(attribute: AttributeProto): GraphProto[] {
  return attribute.g === undefined ? attribute.graphs : [attribute.g, ...attribute.graphs];
}

function freeNames(graph: GraphProto): Set<string> {
  const bound = new Set([...graph.input, ...graph.initializer].map(({ name }) => name));
  const free = new Set<string>();
  const use = (name: string): void => {
    if (name !== '' && !bound.has(name)) free.add(name);
  };
  for (const node of graph.node) {
    node.input.forEach(use);
    for (const attribute of node.attribute) {
      for (const inner of subgraphs(attribute)) freeNames(inner).forEach(use);
    }
    for (const name of node.output) bound.add(name);
  }
  for (const { name } of graph.output) use(name);
  return free;
}
