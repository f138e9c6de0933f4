import type { Loss, LossReduction } from '../training-graph/losses.ts';
import type { JointProfile } from './profile-extensions.ts';

/** The loss that is differentiated, and its settings. */
export interface LossSettings {
  /** Default when a model is loaded: 'mse', or the loss that a joint export was made with. */
  readonly loss?: Loss | undefined;
  /** 'mean' (default) keeps the method's dependence on the batch size; 'sum' removes it. */
  readonly lossReduction?: LossReduction | undefined;
  /** One factor per output (per class for cross-entropy) on the elements of a built-in loss. Default: all 1. */
  readonly outputWeights?: readonly number[] | undefined;
  /**
   * Treats targets that are NaN as missing labels, and leaves them out of a built-in loss and of its mean's count
   * (whole samples for cross-entropy). Default false: a NaN target is refused.
   */
  readonly maskMissingTargets?: boolean | undefined;
}

/** {@link LossSettings} with defaults filled in. */
export interface CompleteLoss {
  readonly loss: Loss;
  readonly lossReduction: LossReduction;
  readonly outputWeights: readonly number[] | undefined;
  readonly maskMissingTargets: boolean;
}

export const defaultLoss: CompleteLoss = {
  loss: 'mse',
  lossReduction: 'mean',
  outputWeights: undefined,
  maskMissingTargets: false,
};

/** The default loss of a model. @param joint undefined unless it is a joint export */
export function lossOf(joint: JointProfile | undefined): CompleteLoss {
  if (!joint) return defaultLoss;
  return { ...defaultLoss, loss: joint.lossKind, lossReduction: joint.lossReduction };
}

/**
 * The requested settings, completed from `defaults`. A custom loss has its own weights and mask, so it inherits
 * neither.
 */
export function completeLoss(requested: LossSettings, defaults: CompleteLoss): CompleteLoss {
  const elements = typeof requested.loss === 'function' ? defaultLoss : defaults;
  return {
    loss: requested.loss ?? defaults.loss,
    lossReduction: requested.lossReduction ?? defaults.lossReduction,
    // A copy: statistics are told apart by the weights they were accumulated with.
    outputWeights: (requested.outputWeights ?? elements.outputWeights)?.slice(),
    maskMissingTargets: requested.maskMissingTargets ?? elements.maskMissingTargets,
  };
}

/**
 * The loss as named in provenance and messages: equal for magnitudes that may be combined. The mask for missing targets
 * is not part of it: if none is missing, it changes nothing.
 */
export function describeLoss({ loss, lossReduction, outputWeights }: CompleteLoss): string {
  if (typeof loss === 'function') return `custom:${loss.name || 'anonymous'}`;
  const details = [
    ...(lossReduction === 'sum' ? ['sum'] : []),
    ...(outputWeights === undefined ? [] : [`output weights ${outputWeights.join(' ')}`]),
  ];
  return details.length === 0 ? loss : `${loss} (${details.join(', ')})`;
}
