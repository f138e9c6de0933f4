import type { OnnxModel } from '../onnx/graph.ts';
import { buildTrainingGraph } from '../training-graph/build.ts';
import type { Loss, LossReduction } from '../training-graph/losses.ts';
import type { GsnnProfile } from './profile.ts';
import type { TrainingSignature } from './training-session.ts';

/** Which training graph of a GSNN is wanted. */
export interface GsnnTrainingGraphOptions {
  readonly loss: Loss;
  readonly lossReduction: LossReduction;
  /** Values before each block's norm, or the blocks' last activations. */
  readonly usePreNorm: boolean;
}

/**
 * The training graph that gives exactly what the method reads, values of blocks 0 .. L - 2 and gradients of blocks
 * 1 .. L - 1: onnxruntime computes all outputs of a graph, asked for or not.
 * @throws MagnitudeEdgeError `unsupported-op`, `invalid-model`, `invalid-argument` for an unknown loss
 */
export function buildGsnnTrainingGraph(
  model: OnnxModel,
  profile: GsnnProfile,
  { loss, lossReduction, usePreNorm }: GsnnTrainingGraphOptions,
): { readonly bytes: Uint8Array; readonly signature: TrainingSignature } {
  const values = usePreNorm ? profile.preNorm : profile.activation;
  const activations = values.slice(0, -1);
  const differentiated = values.slice(1);
  const built = buildTrainingGraph(model, {
    loss,
    lossReduction,
    prediction: profile.output,
    outputs: activations,
    wrt: differentiated,
    stopGradient: profile.stopGradient,
  });
  return {
    bytes: built.bytes,
    signature: {
      input: profile.input,
      inputs: profile.graph.nodeNames.input.length,
      target: built.target,
      outputs: profile.graph.nodeNames.output.length,
      channels: profile.channelGroups.length,
      activations,
      gradients: differentiated.map((value) => built.gradients[value]!),
    },
  };
}
