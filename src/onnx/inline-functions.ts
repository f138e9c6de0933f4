import { MagnitudeEdgeError } from '../errors.ts';
import { decodeAttribute } from './attributes.ts';
import { decodeNode } from './decode.ts';
import type { Attribute, OnnxModel, OnnxNode } from './graph.ts';
import type { FunctionProto } from './schema/onnx_pb.ts';
import { sortedNodes } from './topology.ts';

/** A bound on what a small file with functions that call functions can grow to. */
const MAX_NODES = 1_000_000;

/** Local functions by domain, name and overload. */
type Functions = ReadonlyMap<string, FunctionProto>;

/**
 * The model with every call of a local function replaced by the function's body, inner values renamed to stay unique.
 *
 * Throws `invalid-model` for functions that call themselves or grow beyond a million nodes, and for functions written
 * in another version of the standard operators than the model.
 */
export function inlineFunctions(model: OnnxModel): OnnxModel {
  if (model.functions.length === 0) return model;
  const functions: Functions = new Map(model.functions.map((f) => [key(f), f]));
  requireBounded(model, functions);
  const nodes: OnnxNode[] = [];
  let calls = 0;
  const visit = (node: OnnxNode): void => {
    const body = functions.get(calleeKey(node));
    if (body === undefined) {
      nodes.push(node);
      return;
    }
    requireSameOpset(model, body);
    for (const inner of instantiate(node, body, `${node.opType}#${calls++}/`)) visit(inner);
  };
  model.graph.nodes.forEach(visit);
  const graph = { ...model.graph, nodes };
  return { ...model, functions: [], graph: { ...graph, nodes: sortedNodes(graph) } };
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
  const size = (callee: string): number => {
    const body = functions.get(callee);
    if (body === undefined) return 1;
    const known = sizes.get(callee);
    if (known !== undefined) return known;
    if (open.has(callee)) refuse(`The local function '${body.name}' calls itself.`);
    open.add(callee);
    let total = 0;
    for (const { domain, opType, overload } of body.node)
      total += size(key({ domain, name: opType, overload }));
    open.delete(callee);
    sizes.set(callee, total);
    return total;
  };
  const total = model.graph.nodes.reduce((sum, node) => sum + size(calleeKey(node)), 0);
  if (total > MAX_NODES)
    refuse(`Inlining the model's local functions leads to more than ${MAX_NODES} nodes.`);
}

function refuse(message: string): never {
  throw new MagnitudeEdgeError('invalid-model', message);
}

function requireSameOpset(model: OnnxModel, body: FunctionProto): void {
  for (const { domain, version } of body.opsetImport) {
    const own = model.opsets.get(domain);
    if (own === undefined || own === Number(version)) continue;
    refuse(
      `Local function '${body.name}' is written in operator set ${version} of domain '${domain}', the model in ${own}.`,
    );
  }
}

/** The body of one call: arguments in place of parameters, `prefix` before every other name. */
function instantiate(call: OnnxNode, body: FunctionProto, prefix: string): OnnxNode[] {
  const names = new Map<string, string>([['', '']]);
  body.input.forEach((parameter, i) => names.set(parameter, call.inputs[i] ?? ''));
  body.output.forEach((result, i) => {
    if (call.outputs[i]) names.set(result, call.outputs[i]);
  });
  const rename = (name: string): string => names.get(name) ?? prefix + name;
  const defaults = new Map(body.attributeProto.map((a) => [a.name, decodeAttribute(a, {})]));
  const argument = (name: string): Attribute | undefined => call.attributes.get(name) ?? defaults.get(name);
  return body.node.map((proto) => {
    const node = decodeNode(proto, {});
    const attributes = new Map<string, Attribute>();
    for (const [name, attribute] of node.attributes) {
      const reference = attribute.kind === 'opaque' ? attribute.value.refAttrName : '';
      const value = reference === '' ? attribute : argument(reference);
      if (value !== undefined) attributes.set(name, value);
    }
    return {
      ...node,
      name: prefix + node.name,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
      attributes,
    };
  });
}
