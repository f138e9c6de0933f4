import type { OnnxModel } from '../onnx/graph.ts';
import type { CompleteLoss } from './loss-settings.ts';
import type { GsnnProfile } from './profile.ts';

/**
 * A batch over which the loss takes its mean. It may be run in parts, or several may be run at once: the model treats
 * every sample alone, and only the loss depends on the others of its batch.
 */
export interface LossBatch {
  /** Its samples in this run */
  readonly samples: number;
  /** Its samples in all */
  readonly size: number;
  /** Its targets in all that are not missing */
  readonly knownTargets: number;
  /** Its samples in all that have no missing target */
  readonly completeSamples: number;
}

/** A whole batch of the loss. @param y `[size, outputs]`, row-major */
export function wholeLossBatch(y: Float32Array, size: number): LossBatch {
  const outputs = y.length / size;
  let knownTargets = y.length;
  let completeSamples = size;
  for (let sample = 0; sample < size; sample++) {
    let missing = 0;
    for (let at = sample * outputs; at < (sample + 1) * outputs; at++) if (Number.isNaN(y[at])) missing++;
    knownTargets -= missing;
    if (missing > 0) completeSamples--;
  }
  return { samples: size, size, knownTargets, completeSamples };
}

/**
 * The share of each sample's elements in the loss, in the order of the samples: 1 for a sum, else one over the number of
 * elements that the mean is taken over.
 */
export function sampleWeights(
  lossBatches: readonly LossBatch[],
  loss: CompleteLoss,
  outputs: number,
): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(lossBatches.reduce((sum, { samples }) => sum + samples, 0));
  let first = 0;
  for (const batch of lossBatches) {
    // Without any target the elements are zero, and the loss is 0.
    const weight = loss.lossReduction === 'sum' ? 1 : 1 / Math.max(elementsOf(batch, loss, outputs), 1);
    weights.fill(weight, first, (first += batch.samples));
  }
  return weights;
}

function elementsOf(batch: LossBatch, { loss, maskMissingTargets }: CompleteLoss, outputs: number): number {
  if (loss === 'cross-entropy') return maskMissingTargets ? batch.completeSamples : batch.size;
  return maskMissingTargets ? batch.knownTargets : batch.size * outputs;
}

/** Whether batches of a model's loss may be run in parts or several at once. */
export function canRegroup(
  { graph }: OnnxModel,
  { input, joint }: GsnnProfile,
  { loss, lossReduction }: CompleteLoss,
): boolean {
  const samples = graph.inputs.find(({ name }) => name === input)?.type.shape?.[0];
  if (typeof samples === 'number' || typeof loss === 'function') return false;
  return joint === undefined || lossReduction === 'sum';
}
