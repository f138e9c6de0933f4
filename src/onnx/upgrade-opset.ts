import { MagnitudeEdgeError } from '../errors.ts';
import { intsAttribute } from './attributes.ts';
import { FreshNames } from './fresh-names.ts';
import { standardOpset, type Attribute, type OnnxGraph, type OnnxModel, type OnnxNode } from './graph.ts';
import { allDefinedNames, mapSubgraphs } from './subgraphs.ts';
import { int64Tensor } from './tensor.ts';

/** The oldest operator set supported: since 13, Squeeze, Unsqueeze, ReduceSum and Softmax have their present form. */
export const OLDEST_OPSET = 13;

/** The oldest operator set written: the first in which all reductions take their axes as an input. */
export const WRITTEN_OPSET = 18;

/** Operators whose axes became an input in operator set 18. */
const reductions = new Set(
  ['Max', 'Min', 'Mean', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'].map(
    (name) => `Reduce${name}`,
  ),
);

/**
 * Upgrades a model to operator set 18; a model in a newer one is returned as is. Few operators changed in between:
 * reductions take their axes as an input, Split states its number of parts, RoiAlign got another default. Subgraphs use
 * the same operator set and are upgraded with the graph.
 *
 * Throws `invalid-model` for operator sets before 13.
 */
export function upgradeOpset(model: OnnxModel): OnnxModel {
  const version = standardOpset(model);
  if (version >= WRITTEN_OPSET) return model;
  if (version < OLDEST_OPSET) {
    throw new MagnitudeEdgeError(
      'invalid-model',
      `The model is written in operator set ${version}; ${OLDEST_OPSET} is the oldest that is read (16 in profile v1).`,
    );
  }
  const opsets = new Map(model.opsets);
  opsets.delete('ai.onnx');
  opsets.set('', WRITTEN_OPSET);
  return {
    ...model,
    opsets,
    irVersion: Math.max(model.irVersion, 8),
    graph: upgradeGraph(model.graph, version, new FreshNames(allDefinedNames(model.graph))),
  };
}

function upgradeGraph(graph: OnnxGraph, version: number, names: FreshNames): OnnxGraph {
  const initializers = new Map(graph.initializers);
  const withUpgraded = (node: OnnxNode): OnnxNode =>
    mapSubgraphs(node, (inner) => upgradeGraph(inner, version, names));
  const nodes = graph.nodes.map((node): OnnxNode => {
    if (node.domain !== '') return withUpgraded(node);
    if (reductions.has(node.opType)) {
      const axes = intsAttribute(node, 'axes');
      if (axes === undefined) return node;
      const name = names.take(`${node.outputs[0] ?? ''}/axes`);
      initializers.set(name, int64Tensor([axes.length], axes));
      return { ...node, inputs: [node.inputs[0] ?? '', name], attributes: without(node.attributes, 'axes') };
    }
    if (node.opType === 'Split' && !node.inputs[1]) {
      return withAttribute(node, 'num_outputs', { kind: 'int', value: BigInt(node.outputs.length) });
    }
    if (
      node.opType === 'RoiAlign' &&
      version < 16 &&
      !node.attributes.has('coordinate_transformation_mode')
    ) {
      return withAttribute(node, 'coordinate_transformation_mode', {
        kind: 'string',
        value: 'output_half_pixel',
      });
    }
    return withUpgraded(node);
  });
  return { ...graph, initializers, nodes };
}

function without(attributes: ReadonlyMap<string, Attribute>, name: string): Map<string, Attribute> {
  return new Map([...attributes].filter(([key]) => key !== name));
}

function withAttribute(node: OnnxNode, name: string, value: Attribute): OnnxNode {
  return { ...node, attributes: new Map([...node.attributes, [name, value]]) };
}
