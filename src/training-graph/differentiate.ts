import { MagnitudeEdgeError } from '../errors.ts';
import { describeNode, guarded } from '../onnx/attributes.ts';
import { DataType, dataTypeName } from '../onnx/data-type.ts';
import type { OnnxNode } from '../onnx/graph.ts';
import { valuesRead } from '../onnx/subgraphs.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { RuleContext } from './gradients/rule.ts';
import { ruleOf } from './gradients/table.ts';
import { findPaths, type GradientPaths } from './paths.ts';

/** What to differentiate. */
export interface Differentiation {
  readonly graph: GraphBuilder;
  /** Initial gradients: of the loss, or of a branch's outputs, by the name of the value. */
  readonly seeds: ReadonlyMap<string, readonly string[]>;
  readonly wrt: readonly string[];
  /** Values through which no gradient flows. */
  readonly stops: ReadonlySet<string>;
  /** Location of the graph in the model, appended to messages. */
  readonly place?: string;
}

/**
 * Reverse-mode differentiation: adds the nodes that compute d loss / d v for every v of `wrt`, each in the shape of v,
 * over all paths that no value of `stops` cuts. Values that the loss does not depend on are missing from the result.
 *
 * Throws `unsupported-op` for an operator without a gradient rule on a path, naming operator, node and path, and
 * `invalid-model` for a value on a path that is not float32.
 */
export function differentiate(request: Differentiation): ReadonlyMap<string, string> {
  const { graph, seeds, wrt, stops } = request;
  const paths = findPaths(graph, [...seeds.keys()], wrt, stops);
  for (const node of paths.nodes) requireRule(node, paths, request);
  for (const value of paths.values) requireFloat32(graph, value);

  const contributions = new Map<string, string[]>();
  const contribute = (value: string, gradients: readonly string[]): void => {
    if (!paths.values.has(value)) return;
    const parts = contributions.get(value);
    if (parts === undefined) contributions.set(value, [...gradients]);
    else parts.push(...gradients);
  };
  const total = (value: string): string | undefined => {
    const parts = contributions.get(value);
    if (parts === undefined) return undefined;
    const summed = graph.sum(parts);
    contributions.set(value, [summed]);
    return summed;
  };
  for (const [value, gradients] of seeds) contribute(value, gradients);
  for (const node of [...paths.nodes].reverse()) {
    const gradients = node.outputs.map((output) => (stops.has(output) ? undefined : total(output)));
    if (gradients.every((gradient) => gradient === undefined)) continue;
    const context = contextOf(request, node, gradients, paths);
    const rule = ruleOf(node)!;
    const other = gradients.findIndex((gradient, i) => i > 0 && gradient !== undefined);
    if (other > 0 && rule.allOutputs !== true) context.unsupported(`its output '${node.outputs[other]!}'`);
    const found = guarded(node, () => rule.apply(context));
    valuesRead(node).forEach((value, index) => {
      const gradient = found[index];
      if (gradient !== undefined) contribute(value, [gradient]);
    });
  }
  const result = new Map<string, string>();
  for (const value of wrt) {
    const gradient = total(value);
    if (gradient !== undefined) result.set(value, gradient);
  }
  return result;
}

function contextOf(
  request: Differentiation,
  node: OnnxNode,
  gradients: readonly (string | undefined)[],
  paths: GradientPaths,
): RuleContext {
  const known = gradients.find((gradient) => gradient !== undefined);
  const reads = valuesRead(node);
  return {
    graph: request.graph,
    node,
    gradient: gradients[0] ?? known!,
    gradients,
    input: (index) => reads[index] ?? '',
    output: (index) => node.outputs[index] ?? '',
    needs: (index) => paths.values.has(reads[index] ?? ''),
    unsupported: (reason) => refuse(node, paths, request, ` for ${reason}`),
    backward: (graph, seeds, wrt, place) =>
      differentiate({
        graph,
        seeds,
        wrt,
        stops: request.stops,
        place: `${request.place ?? ''}, in ${place}`,
      }),
  };
}

/** Refuses an operator without a rule, and one whose rule does not cover an input on a path. */
function requireRule(node: OnnxNode, paths: GradientPaths, request: Differentiation): void {
  const rule = ruleOf(node);
  if (rule === undefined) return refuse(node, paths, request, '');
  if (rule.inputs === undefined) return;
  const covered = [...rule.inputs, ...(rule.withoutGradient ?? [])];
  const left = node.inputs.find((input, index) => !covered.includes(index) && paths.values.has(input));
  if (left !== undefined) refuse(node, paths, request, ` for its input '${left}'`);
}

function refuse(
  node: OnnxNode,
  paths: GradientPaths,
  { place = '' }: Differentiation,
  reason: string,
): never {
  const path = paths.describe(node);
  throw new MagnitudeEdgeError(
    'unsupported-op',
    `${describeNode(node)} has no gradient rule${reason}; it lies on the path ${path}${place}.`,
    { details: { op: node.opType, domain: node.domain, node: node.name, path } },
  );
}

function requireFloat32(graph: GraphBuilder, value: string): void {
  const { elementType } = graph.type(value);
  if (elementType === undefined || elementType === DataType.float32) return;
  throw new MagnitudeEdgeError(
    'invalid-model',
    `The value '${value}' lies on a path that needs gradients, but is ${dataTypeName(elementType)}; only float32 is differentiated.`,
    { details: { value } },
  );
}
