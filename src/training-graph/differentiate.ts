import { MagnitudeEdgeError } from '../errors.ts';
import { describeNode, guarded } from '../onnx/attributes.ts';
import { DataType, dataTypeName } from '../onnx/data-type.ts';
import type { OnnxNode } from '../onnx/graph.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { RuleContext } from './gradients/rule.ts';
import { ruleOf } from './gradients/table.ts';
import { findPaths, type GradientPaths } from './paths.ts';

/**
 * Reverse-mode differentiation: adds the nodes that compute d `loss` / d v for every v of `wrt`, each in the shape of v,
 * over all paths that no value of `stops` cuts. Values that the loss does not depend on are missing from the result.
 *
 * Throws `unsupported-op` for an operator without a gradient rule on a path, naming operator, node and path, and
 * `invalid-model` for a value on a path that is not float32.
 */
export function differentiate(
  graph: GraphBuilder,
  loss: string,
  wrt: readonly string[],
  stops: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const paths = findPaths(graph, loss, wrt, stops);
  for (const node of paths.nodes) requireRule(node, paths);
  for (const value of paths.values) requireFloat32(graph, value);

  const contributions = new Map<string, string[]>();
  const total = (value: string): string | undefined => {
    const parts = contributions.get(value);
    if (parts === undefined) return undefined;
    const summed = graph.sum(parts);
    contributions.set(value, [summed]);
    return summed;
  };
  if (paths.values.has(loss)) contributions.set(loss, [graph.scalar(1)]);
  for (const node of [...paths.nodes].reverse()) {
    const gradients = node.outputs.map((output) => (stops.has(output) ? undefined : total(output)));
    if (gradients.every((gradient) => gradient === undefined)) continue;
    const context = contextOf(graph, node, gradients, paths);
    const inputs = guarded(node, () => ruleOf(node)!.apply(context));
    node.inputs.forEach((input, index) => {
      const gradient = inputs[index];
      if (gradient === undefined || !paths.values.has(input)) return;
      const parts = contributions.get(input);
      if (parts === undefined) contributions.set(input, [gradient]);
      else parts.push(gradient);
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
  graph: GraphBuilder,
  node: OnnxNode,
  gradients: readonly (string | undefined)[],
  paths: GradientPaths,
): RuleContext {
  const known = gradients.find((gradient) => gradient !== undefined);
  return {
    graph,
    node,
    gradient: gradients[0] ?? known!,
    gradients,
    input: (index) => node.inputs[index] ?? '',
    output: (index) => node.outputs[index] ?? '',
    needs: (index) => paths.values.has(node.inputs[index] ?? ''),
    unsupported: (reason) => refuse(node, paths, ` for ${reason}`),
  };
}

function requireRule(node: OnnxNode, paths: GradientPaths): void {
  if (ruleOf(node) === undefined) refuse(node, paths, '');
}

function refuse(node: OnnxNode, paths: GradientPaths, reason: string): never {
  const path = paths.describe(node);
  throw new MagnitudeEdgeError(
    'unsupported-op',
    `${describeNode(node)} has no gradient rule${reason}; it lies on the path ${path}.`,
    { details: { op: node.opType, domain: node.domain, node: node.name, path } },
  );
}

function requireFloat32(graph: GraphBuilder, value: string): void {
  const { elementType } = graph.type(value);
  if (elementType === undefined || elementType === DataType.float32) return;
  throw new MagnitudeEdgeError(
    'invalid-model',
    `The value '${value}' lies on a path that needs gradients and is ${dataTypeName(elementType)}; only float32 is differentiated.`,
    { details: { value } },
  );
}
