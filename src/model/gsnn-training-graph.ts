import type { OnnxModel } from '../onnx/graph.ts';
import { buildTrainingGraph } from '../training-graph/build.ts';
import { checkJointLoss, jointTrainingGraph } from './joint-graph.ts';
import type { CompleteLoss } from './loss-settings.ts';
import type { JointProfile } from './profile-extensions.ts';
import type { GsnnProfile } from './profile.ts';
import type { TrainingSignature } from './training-session.ts';

/** Which training graph of a GSNN to build. */
export interface GsnnTrainingGraphOptions extends CompleteLoss {
  /** Values before each block's norm, or the blocks' last activations. */
  readonly usePreNorm: boolean;
}

/** A training graph's file, and the names and sizes to run it with. */
export interface GsnnTrainingGraph {
  readonly bytes: Uint8Array;
  readonly signature: TrainingSignature;
}

/** A training graph's file with the names in it. */
interface NamedGraph {
  readonly bytes: Uint8Array;
  readonly inputs: readonly string[];
  readonly target: string;
  /** Output names, blocks 1 .. L - 1 */
  readonly gradients: readonly string[];
}

/**
 * The training graph whose outputs are exactly what the method reads: values of blocks 0 .. L - 2 and gradients of
 * blocks 1 .. L - 1. No others, since onnxruntime computes all outputs of a graph, requested or not. A joint export
 * contains the gradients and is only cut down to them.
 * @throws MagnitudeEdgeError `unsupported-op`, `invalid-model`, `invalid-argument` for an unknown loss or options that
 * do not fit it, `unsupported-model` for a loss other than a joint export's
 */
export function buildGsnnTrainingGraph(
  model: OnnxModel,
  profile: GsnnProfile,
  options: GsnnTrainingGraphOptions,
): GsnnTrainingGraph {
  const values = options.usePreNorm ? profile.preNorm : profile.activation;
  const activations = values.slice(0, -1);
  const { edgeMask, joint } = profile;
  const { bytes, inputs, target, gradients } = joint
    ? held(model, joint, options, activations)
    : differentiated(model, profile, options, activations);
  return {
    bytes,
    signature: {
      input: profile.input,
      inputs: profile.graph.nodeNames.input.length,
      target,
      outputs: profile.graph.nodeNames.output.length,
      channels: profile.channelGroups.length,
      edgeMask:
        edgeMask && inputs.includes(edgeMask.input)
          ? { input: edgeMask.input, edges: edgeMask.edges.length }
          : undefined,
      activations,
      gradients,
    },
  };
}

function differentiated(
  model: OnnxModel,
  profile: GsnnProfile,
  { usePreNorm, ...loss }: GsnnTrainingGraphOptions,
  activations: readonly string[],
): NamedGraph {
  const wrt = (usePreNorm ? profile.preNorm : profile.activation).slice(1);
  const { bytes, inputs, target, gradients } = buildTrainingGraph(model, {
    ...loss,
    prediction: profile.output,
    outputs: activations,
    wrt,
    stopGradient: profile.stopGradient,
  });
  return { bytes, inputs, target, gradients: wrt.map((value) => gradients[value]!) };
}

function held(
  model: OnnxModel,
  joint: JointProfile,
  { usePreNorm, ...loss }: GsnnTrainingGraphOptions,
  activations: readonly string[],
): NamedGraph {
  checkJointLoss(joint, loss);
  const gradients = (usePreNorm ? joint.gradPreNorm : joint.gradActivation).slice(1);
  return { ...jointTrainingGraph(model, [...activations, ...gradients]), target: joint.target, gradients };
}

/** Equal for options that give the same training graph. */
export function graphKey(options: GsnnTrainingGraphOptions): readonly unknown[] {
  const { loss, lossReduction, maskMissingTargets, usePreNorm, outputWeights } = options;
  return [loss, lossReduction, maskMissingTargets, usePreNorm, outputWeights?.join()];
}

/** Compares two keys of {@link graphKey}. */
export function isSameKey(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.every((part, index) => part === b[index]);
}
