import { checkOneOf } from '../check-one-of.ts';
import { MagnitudeEdgeError } from '../errors.ts';
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
  /** Whether a run may hold parts of batches of the loss, or several of them: see `sampleWeights` in loss-batches.ts. */
  readonly weighsSamples?: boolean | undefined;
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
  readonly sampleWeights?: string | undefined;
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
  const { bytes, inputs, target, sampleWeights, gradients } = joint
    ? held(model, joint, options, activations)
    : differentiated(model, profile, options, activations);
  return {
    bytes,
    signature: {
      input: profile.input,
      inputs: profile.graph.nodeNames.input.length,
      target,
      weighting: sampleWeights === undefined ? undefined : { input: sampleWeights, loss: options },
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
  { usePreNorm, weighsSamples, ...loss }: GsnnTrainingGraphOptions,
  activations: readonly string[],
): NamedGraph {
  if (weighsSamples === true) checkWeighsSamples(loss);
  const wrt = (usePreNorm ? profile.preNorm : profile.activation).slice(1);
  const { bytes, inputs, target, sampleWeights, gradients } = buildTrainingGraph(model, {
    ...loss,
    // The weights are shares of a mean already.
    ...(weighsSamples === true ? { lossReduction: 'sum', sampleWeights: true } : {}),
    prediction: profile.output,
    outputs: activations,
    wrt,
    stopGradient: profile.stopGradient,
  });
  return { bytes, inputs, target, sampleWeights, gradients: wrt.map((value) => gradients[value]!) };
}

function held(
  model: OnnxModel,
  joint: JointProfile,
  { usePreNorm, weighsSamples, ...loss }: GsnnTrainingGraphOptions,
  activations: readonly string[],
): NamedGraph {
  checkJointLoss(joint, loss);
  if (weighsSamples === true) throw new MagnitudeEdgeError('invalid-argument', fixedMean('A joint export'));
  const gradients = (usePreNorm ? joint.gradPreNorm : joint.gradActivation).slice(1);
  return { ...jointTrainingGraph(model, [...activations, ...gradients]), target: joint.target, gradients };
}

function checkWeighsSamples({ loss, lossReduction }: CompleteLoss): void {
  if (typeof loss === 'function')
    throw new MagnitudeEdgeError('invalid-argument', fixedMean('A custom loss'));
  checkOneOf('lossReduction', lossReduction, ['mean', 'sum']);
}

const fixedMean = (what: string): string =>
  `${what} takes its own mean over what is run at once, so that batches of the loss cannot be run in parts or several at once: lossBatchSize must be batchSize.`;

/** Equal for options that give the same training graph. */
export function graphKey(options: GsnnTrainingGraphOptions): readonly unknown[] {
  const { loss, lossReduction, maskMissingTargets, usePreNorm, weighsSamples, outputWeights } = options;
  return [loss, lossReduction, maskMissingTargets, usePreNorm, weighsSamples === true, outputWeights?.join()];
}

/** Compares two keys of {@link graphKey}. */
export function isSameKey(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.every((part, index) => part === b[index]);
}
