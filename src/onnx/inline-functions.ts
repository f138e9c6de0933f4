import { MagnitudeEdgeError } from '../errors.ts';
import { decodeAttribute, describeNode } from './attributes.ts';
import { decodeNode } from './decode.ts';
import type { Attribute, OnnxModel, OnnxNode } from './graph.ts';
import type { FunctionProto } from './schema/onnx_pb.ts';
import { sortedNodes } from './topology.ts';

/** A bound on what a small file with functions that call functions can grow to. */
const MAX_NODES = 1_000_000;

/** Deeper nesting is a function that calls itself. */
const MAX_DEPTH = 64;

/**
 * The model with every call of a local function replaced by the function's body, inner values renamed to stay unique.
 *
 * Throws `invalid-model` for functions that call themselves or grow beyond a million nodes, and for functions written
 * in another version of the standard operators than the model.
 */
export function inlineFunctions(model: OnnxModel): OnnxModel {
  if (model.functions.length === 0) return model;
  const functions = new Map(model.functions.map((f) => [key(f.domain, f.name, f.overload), f]));
  const nodes: OnnxNode[] = [];
  let calls = 0;
  const visit = (node: OnnxNode, depth: number): void => {
    const body = functions.get(key(node.domain, node.opType, node.source?.overload ?? ''));
    if (body === undefined) {
      nodes.push(node);
      if (nodes.length > MAX_NODES) tooLarge(`more than ${MAX_NODES} nodes`);
      return;
    }
    if (depth > MAX_DEPTH) tooLarge(`a nesting deeper than ${MAX_DEPTH}, at ${describeNode(node)}`);
    requireSameOpset(model, body);
    for (const inner of instantiate(node, body, `${node.name || node.opType}#${calls++}/`))
      visit(inner, depth + 1);
  };
  for (const node of model.graph.nodes) visit(node, 0);
  const graph = { ...model.graph, nodes };
  return { ...model, functions: [], graph: { ...graph, nodes: sortedNodes(graph) } };
}

function key(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain === 'ai.onnx' ? '' : domain, name, overload]);
}

function tooLarge(what: string): never {
  throw new MagnitudeEdgeError('invalid-model', `Inlining the model's local functions leads to ${what}.`);
}

function requireSameOpset(model: OnnxModel, body: FunctionProto): void {
  for (const { domain, version } of body.opsetImport) {
    const own = model.opsets.get(domain);
    if (own === undefined || own === Number(version)) continue;
    throw new MagnitudeEdgeError(
      'invalid-model',
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
