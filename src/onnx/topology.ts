import { MagnitudeEdgeError } from '../errors.ts';
import { describeNode } from './attributes.ts';
import type { OnnxGraph, OnnxNode } from './graph.ts';
import { valuesRead } from './subgraphs.ts';

type Graph = Pick<OnnxGraph, 'inputs' | 'outputs' | 'initializers' | 'nodes'>;

/**
 * The nodes in topological order; the file's own order if it is one. Throws `invalid-model` for values with no producer
 * or more than one, and for cycles.
 */
export function sortedNodes(graph: Graph): OnnxNode[] {
  const producer = producers(graph);
  const available = availableNames(graph);
  const isThere = (value: string): boolean => available.has(value) || producer.has(value);
  for (const node of graph.nodes) {
    const missing = nodeDependencies(node).find((value) => !isThere(value));
    if (missing === undefined) continue;
    throw new MagnitudeEdgeError(
      'invalid-model',
      `${describeNode(node)} reads the value '${missing}', which nothing in the graph produces.`,
      { details: { value: missing } },
    );
  }
  for (const { name } of graph.outputs) {
    if (isThere(name)) continue;
    throw new MagnitudeEdgeError(
      'invalid-model',
      `The graph output '${name}' is not produced by any node of the graph.`,
      { details: { value: name } },
    );
  }
  return inOrder(graph, producer);
}

/** The same for a subgraph: values that it does not produce come from the enclosing graph. */
export function sortedBody(graph: Graph): OnnxNode[] {
  return inOrder(graph, producers(graph));
}

function inOrder(graph: Graph, producer: ReadonlyMap<string, OnnxNode>): OnnxNode[] {
  if (isSorted(graph.nodes, producer)) return [...graph.nodes];
  const waiting = new Map<OnnxNode, number>();
  const consumers = new Map<OnnxNode, OnnxNode[]>();
  const ready: OnnxNode[] = [];
  for (const node of graph.nodes) {
    const sources = new Set(
      nodeDependencies(node).flatMap((value) => (producer.has(value) ? [producer.get(value)!] : [])),
    );
    waiting.set(node, sources.size);
    if (sources.size === 0) ready.push(node);
    for (const source of sources) {
      const list = consumers.get(source);
      if (list === undefined) consumers.set(source, [node]);
      else list.push(node);
    }
  }
  // The list grows while it is iterated.
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

/** The node that produces each value. Throws `invalid-model` if a name is produced twice. */
function producers(graph: Graph): Map<string, OnnxNode> {
  const producer = new Map<string, OnnxNode>();
  const available = availableNames(graph);
  for (const node of graph.nodes) {
    for (const value of node.outputs) {
      if (value === '') continue;
      if (producer.has(value) || available.has(value)) {
        throw new MagnitudeEdgeError('invalid-model', `The value '${value}' is produced more than once.`, {
          details: { value },
        });
      }
      producer.set(value, node);
    }
  }
  return producer;
}

/** Inputs and constants: available before the first node runs. */
function availableNames({ inputs, initializers }: Graph): ReadonlySet<string> {
  return new Set([...inputs.map(({ name }) => name), ...initializers.keys()]);
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

/** The values that a node reads, its subgraphs included. */
export function nodeDependencies(node: OnnxNode): readonly string[] {
  const read = valuesRead(node);
  return read.includes('') ? read.filter((value) => value !== '') : read;
}

/** The nodes that `outputs` depend on, in the given order, which must be topological. */
export function neededNodes(nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxNode[] {
  return neededFor(nodes, outputs).nodes;
}

/** The same, and the values that they read or that `outputs` names. */
export function neededFor(
  nodes: readonly OnnxNode[],
  outputs: readonly string[],
): { readonly nodes: OnnxNode[]; readonly values: ReadonlySet<string> } {
  const values = new Set(outputs);
  const needed: OnnxNode[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.outputs.some((output) => values.has(output))) continue;
    needed.push(node);
    for (const value of nodeDependencies(node)) values.add(value);
  }
  return { nodes: needed.reverse(), values };
}
