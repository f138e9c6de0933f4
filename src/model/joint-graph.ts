import { MagnitudeEdgeError } from '../errors.ts';
import { DataType } from '../onnx/data-type.ts';
import { encodeModel } from '../onnx/encode.ts';
import type { OnnxModel } from '../onnx/graph.ts';
import { neededNodes, nodeDependencies } from '../onnx/topology.ts';
import { describeLoss, type CompleteLoss } from './loss-settings.ts';
import type { JointProfile } from './profile-extensions.ts';

/**
 * A joint export reduced to some of its values: only the nodes and constants that they need.
 * @param outputs names of values, which become the outputs in this order
 */
export function keepOutputs(model: OnnxModel, outputs: readonly string[]): OnnxModel {
  const { graph } = model;
  const nodes = neededNodes(graph.nodes, outputs);
  const used = new Set([...outputs, ...nodes.flatMap(nodeDependencies)]);
  const declared = new Map(graph.outputs.map((output) => [output.name, output]));
  return {
    ...model,
    graph: {
      ...graph,
      nodes,
      inputs: graph.inputs.filter(({ name }) => used.has(name)),
      initializers: new Map([...graph.initializers].filter(([name]) => used.has(name))),
      outputs: outputs.map(
        (name) =>
          declared.get(name) ?? {
            name,
            type: graph.valueTypes.get(name) ?? { elementType: DataType.float32, shape: undefined },
          },
      ),
    },
  };
}

/** {@link keepOutputs} as a file, and the remaining inputs. */
export function jointTrainingGraph(
  model: OnnxModel,
  outputs: readonly string[],
): { readonly bytes: Uint8Array; readonly inputs: readonly string[] } {
  const kept = keepOutputs(model, outputs);
  return { bytes: encodeModel(kept), inputs: kept.graph.inputs.map(({ name }) => name) };
}

/**
 * Refuses every loss but the one whose gradients a joint export contains.
 * @throws MagnitudeEdgeError `unsupported-model`
 */
export function checkJointLoss(joint: JointProfile, requested: CompleteLoss): void {
  const { lossKind, lossReduction } = joint;
  const refuse = (what: string): never => {
    throw new MagnitudeEdgeError(
      'unsupported-model',
      `The model is a joint export that holds the gradients of one loss, lossKind '${lossKind}' with lossReduction '${lossReduction}', but ${what} asked for.`,
      { details: { lossKind, lossReduction } },
    );
  };
  if (requested.loss !== lossKind) refuse(`the loss '${describeLoss(requested)}' was`);
  if (requested.lossReduction !== lossReduction) refuse(`lossReduction '${requested.lossReduction}' was`);
  if (requested.outputWeights !== undefined) refuse('outputWeights were');
  if (requested.maskMissingTargets) refuse('maskMissingTargets was');
}
