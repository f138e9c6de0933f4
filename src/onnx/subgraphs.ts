import type { Attribute, OnnxGraph, OnnxNode } from './graph.ts';

/**
 * If, Loop and Scan have subgraphs, which read values of the enclosing graph without naming them as inputs. For all
 * that a node depends on, use {@link valuesRead}.
 */

/** The subgraphs of a node; none for most operators. */
export function subgraphsOf(node: OnnxNode): readonly OnnxGraph[] {
  if (node.attributes.size === 0) return none;
  const graphs: OnnxGraph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'graph') graphs.push(attribute.value);
    if (attribute.kind === 'graphs') graphs.push(...attribute.value);
  }
  return graphs;
}

const none: readonly OnnxGraph[] = [];

/** The graph in attribute `name`; undefined if there is none. */
export function graphAttribute(node: OnnxNode, name: string): OnnxGraph | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'graph' ? attribute.value : undefined;
}

/** The node with `change` applied to its subgraphs; the node itself if it has none. */
export function mapSubgraphs(node: OnnxNode, change: (graph: OnnxGraph) => OnnxGraph): OnnxNode {
  if (subgraphsOf(node).length === 0) return node;
  const changed = (attribute: Attribute): Attribute => {
    if (attribute.kind === 'graph') return { kind: 'graph', value: change(attribute.value) };
    if (attribute.kind === 'graphs') return { kind: 'graphs', value: attribute.value.map(change) };
    return attribute;
  };
  return {
    ...node,
    attributes: new Map([...node.attributes].map(([name, attribute]) => [name, changed(attribute)])),
  };
}

/**
 * The values that a node reads: its inputs in order ('' for an omitted one), then what its subgraphs read from the
 * enclosing graph.
 */
export function valuesRead(node: OnnxNode): readonly string[] {
  const graphs = subgraphsOf(node);
  if (graphs.length === 0) return node.inputs;
  const known = readByGraphNode.get(node);
  if (known !== undefined) return known;
  const reads = [...node.inputs, ...new Set(graphs.flatMap((graph) => [...capturedValues(graph)]))];
  readByGraphNode.set(node, reads);
  return reads;
}

const readByGraphNode = new WeakMap<OnnxNode, readonly string[]>();

/** The values that a subgraph reads but does not define. */
export function capturedValues(graph: OnnxGraph): ReadonlySet<string> {
  const own = new Set(definedNames(graph));
  const captured = new Set<string>();
  const use = (name: string): void => {
    if (name !== '' && !own.has(name)) captured.add(name);
  };
  for (const node of graph.nodes) valuesRead(node).forEach(use);
  for (const { name } of graph.outputs) use(name);
  return captured;
}

/** What a graph itself defines: inputs, constants and outputs of its nodes, excluding its subgraphs. */
export function definedNames(graph: OnnxGraph): string[] {
  return [
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ outputs }) => outputs.filter((output) => output !== '')),
  ];
}

/** Names of all values in a graph and its subgraphs, once per definition. */
export function allDefinedNames(graph: OnnxGraph): string[] {
  const names = definedNames(graph);
  for (const node of graph.nodes) {
    for (const inner of subgraphsOf(node)) for (const name of allDefinedNames(inner)) names.push(name);
  }
  return names;
}

type Rename = (name: string) => string;

/**
 * The node with the values that it reads and produces renamed, in its subgraphs too. `rename` is never called with ''.
 */
export function renameNode(node: OnnxNode, rename: Rename): OnnxNode {
  const renamed = (name: string): string => (name === '' ? '' : rename(name));
  return {
    ...mapSubgraphs(node, (graph) => renameGraph(graph, rename)),
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  };
}

/** The graph with every value renamed, in its subgraphs too. */
export function renameGraph(graph: OnnxGraph, rename: Rename): OnnxGraph {
  return {
    ...graph,
    inputs: graph.inputs.map((info) => ({ ...info, name: rename(info.name) })),
    outputs: graph.outputs.map((info) => ({ ...info, name: rename(info.name) })),
    valueTypes: new Map([...graph.valueTypes].map(([name, type]) => [rename(name), type])),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [rename(name), tensor])),
    nodes: graph.nodes.map((node) => renameNode(node, rename)),
  };
}
