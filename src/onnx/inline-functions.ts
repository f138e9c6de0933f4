import { MagnitudeEdgeError } from '../errors.ts';
import { decodeAttribute, decodeNode } from './decode.ts';
import { FreshNames } from './fresh-names.ts';
import { identityNode, type Attribute, type OnnxGraph, type OnnxModel, type OnnxNode } from './graph.ts';
import type { FunctionProto } from './schema/onnx_pb.ts';
import { allDefinedNames, mapSubgraphs, renameNode, subgraphsOf } from './subgraphs.ts';
import { sortedBody, sortedNodes } from './topology.ts';

/** Bounds on the expansion of a small file whose functions call functions. */
const MAX_NODES = 1_000_000;
const MAX_DEPTH = 256;

interface LocalFunction {
  readonly proto: FunctionProto;
  readonly nodes: readonly OnnxNode[];
}

/** Local functions by domain, name and overload. */
type Functions = ReadonlyMap<string, LocalFunction>;

/**
 * Replaces every call of a local function with the function's body, in subgraphs too; inner values are renamed to stay
 * unique.
 *
 * Throws `invalid-model` for functions that call themselves or grow beyond a million nodes, and for functions written
 * in a different version of the standard operators than the model.
 */
export function inlineFunctions(model: OnnxModel): OnnxModel {
  if (model.functions.length === 0) return model;
  const functions: Functions = new Map(
    model.functions.map((proto) => [key(proto), { proto, nodes: proto.node.map((n) => decodeNode(n, {})) }]),
  );
  requireBounded(model, functions);
  const opsets = new Map(model.opsets);
  const names = new FreshNames(allDefinedNames(model.graph));
  let calls = 0;
  const expand = (nodes: readonly OnnxNode[]): OnnxNode[] =>
    nodes.flatMap((node) => {
      const callee = functions.get(calleeKey(node));
      if (callee === undefined)
        return [mapSubgraphs(node, (graph) => withNodes(graph, sortedBody, expand(graph.nodes)))];
      adoptOpsets(opsets, callee.proto);
      return expand(instantiate(node, callee, `${node.opType}#${calls++}/`, names));
    });
  const graph = withNodes(model.graph, sortedNodes, expand(model.graph.nodes));
  return { ...model, opsets, functions: [], graph };
}

function withNodes(
  graph: OnnxGraph,
  sorted: (graph: OnnxGraph) => OnnxNode[],
  nodes: readonly OnnxNode[],
): OnnxGraph {
  return { ...graph, nodes: sorted({ ...graph, nodes }) };
}

interface Named {
  readonly domain: string;
  readonly overload: string;
}

function key({ domain, name, overload }: Named & { readonly name: string }): string {
  return JSON.stringify([domain === 'ai.onnx' ? '' : domain, name, overload]);
}

function calleeKey(node: Pick<OnnxNode, 'domain' | 'opType' | 'source'>): string {
  return key({ domain: node.domain, name: node.opType, overload: node.source?.overload ?? '' });
}

/** Counts the nodes of every function's expansion once, before anything is expanded. */
function requireBounded(model: OnnxModel, functions: Functions): void {
  const sizes = new Map<string, number>();
  const open = new Set<string>();
  const sizeOfCall = (callee: string): number => {
    const called = functions.get(callee);
    if (called === undefined) return 1;
    const known = sizes.get(callee);
    if (known !== undefined) return known;
    if (open.has(callee)) refuse(`The local function '${called.proto.name}' calls itself.`);
    if (open.size >= MAX_DEPTH)
      refuse(`The model's local functions call each other more than ${MAX_DEPTH} deep.`);
    open.add(callee);
    const total = sizeOf(called.nodes);
    open.delete(callee);
    sizes.set(callee, total);
    return total;
  };
  const sizeOf = (nodes: readonly OnnxNode[]): number => {
    let total = 0;
    for (const node of nodes) {
      total += sizeOfCall(calleeKey(node));
      for (const graph of subgraphsOf(node)) total += sizeOf(graph.nodes);
    }
    return total;
  };
  if (sizeOf(model.graph.nodes) > MAX_NODES)
    refuse(`Inlining the model's local functions would give more than ${MAX_NODES} nodes.`);
}

function refuse(message: string): never {
  throw new MagnitudeEdgeError('invalid-model', message);
}

/** Adds operator sets that only the function imports to the model's; versions of shared ones have to agree. */
function adoptOpsets(opsets: Map<string, number>, { name, opsetImport }: FunctionProto): void {
  for (const { domain: written, version } of opsetImport) {
    const domain = written === 'ai.onnx' ? '' : written;
    const own = opsets.get(domain) ?? (domain === '' ? opsets.get('ai.onnx') : undefined);
    if (own === undefined) opsets.set(domain, Number(version));
    else if (own !== Number(version)) {
      refuse(
        `Local function '${name}' is written in operator set ${version} of domain '${domain}', but the model uses ${own}.`,
      );
    }
  }
}

/** The body of one call: arguments in place of parameters, `prefix` before every other name. */
function instantiate(
  call: OnnxNode,
  { proto, nodes }: LocalFunction,
  prefix: string,
  names: FreshNames,
): OnnxNode[] {
  const renamed = new Map<string, string>();
  const rename = (name: string): string => {
    const known = renamed.get(name);
    if (known !== undefined) return known;
    const fresh = names.take(prefix + name);
    renamed.set(name, fresh);
    return fresh;
  };
  proto.input.forEach((parameter, i) => renamed.set(parameter, call.inputs[i] ?? ''));
  const passedOn: OnnxNode[] = [];
  proto.output.forEach((result, i) => {
    const output = call.outputs[i] ?? '';
    if (output === '') return;
    if (!renamed.has(result)) renamed.set(result, output);
    else passedOn.push(identityNode(`${prefix}${result}`, renamed.get(result)!, output));
  });
  const defaults = new Map(proto.attributeProto.map((a) => [a.name, decodeAttribute(a, {})]));
  const argument = (name: string): Attribute | undefined => call.attributes.get(name) ?? defaults.get(name);
  const instances = nodes.map((node) => {
    const instance = withArguments(renameNode(node, rename), argument);
    return { ...instance, name: node.name === '' ? '' : prefix + node.name };
  });
  return [...instances, ...passedOn];
}

/** The node with references to the function's attributes replaced by their values, in its subgraphs too. */
function withArguments(node: OnnxNode, argument: (name: string) => Attribute | undefined): OnnxNode {
  const inner = mapSubgraphs(node, (graph) => ({
    ...graph,
    nodes: graph.nodes.map((one) => withArguments(one, argument)),
  }));
  const attributes = new Map<string, Attribute>();
  for (const [name, attribute] of inner.attributes) {
    const reference = attribute.kind === 'opaque' ? attribute.value.refAttrName : '';
    const value = reference === '' ? attribute : argument(reference);
    if (value !== undefined) attributes.set(name, value);
  }
  return { ...inner, attributes };
}
