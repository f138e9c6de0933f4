import { MagnitudeEdgeError } from '../errors.ts';
import { DataType } from '../onnx/data-type.ts';
import type { Dimension, TensorType } from '../onnx/graph.ts';
import type { GraphBuilder } from './graph-builder.ts';

/** Built-in losses, each as in torch.nn.functional under that name; Huber with delta 1. */
export type LossName = 'mse' | 'l1' | 'huber' | 'bce-with-logits' | 'cross-entropy';

/**
 * A custom loss: adds nodes to the graph and returns the name of a float32 scalar. Every operator with a gradient rule
 * may be used; the function also does its own reduction, weighting and masking.
 */
export type CustomLoss = (graph: GraphBuilder, prediction: string, target: string) => string;

export type Loss = LossName | CustomLoss;

/** `mean`: over every element of the batch (over the rows for cross-entropy); `sum` removes the dependence on their number. */
export type LossReduction = 'mean' | 'sum';

/** The values that a loss is computed from. */
export interface LossInputs {
  readonly prediction: string;
  readonly target: string;
  /** A factor per sample, with the prediction's rank and size 1 on all axes but the first; default: all 1 */
  readonly sampleWeights?: string | undefined;
}

/** Options of the built-in losses. */
export interface LossOptions {
  /** Default `mean`. */
  readonly lossReduction?: LossReduction | undefined;
  /** One factor per output (per class for cross-entropy) on the loss's elements; the mean still counts all of them. */
  readonly outputWeights?: readonly number[] | undefined;
  /**
   * Excludes elements whose target is NaN from the loss and from the mean's count (whole rows for cross-entropy); a
   * batch without any target has loss 0 and gradients 0.
   */
  readonly maskMissingTargets?: boolean | undefined;
  /**
   * What the target holds for cross-entropy: `values` (default), float32 class probabilities in the shape of the
   * prediction, or `class-index`, int64 without the class axis.
   */
  readonly targetKind?: 'values' | 'class-index' | undefined;
  /**
   * The class index of samples that are excluded from the loss and from the mean's count (default -100, as in torch); a
   * batch of such samples alone has loss 0 and gradients 0. Any other index that is not a class gives NaN.
   */
  readonly ignoreIndex?: number | undefined;
}

type ElementLoss = (graph: GraphBuilder, prediction: string, target: string) => string;

const elementLosses: Readonly<Record<Exclude<LossName, 'cross-entropy'>, ElementLoss>> = {
  mse: (graph, prediction, target) => {
    const error = graph.sub(prediction, target);
    return graph.mul(error, error);
  },
  l1: (graph, prediction, target) => graph.op('Abs', [graph.sub(prediction, target)]),
  huber: (graph, prediction, target) => {
    const error = graph.sub(prediction, target);
    const size = graph.op('Abs', [error]);
    const quadratic = graph.scale(graph.mul(error, error), 0.5);
    const linear = graph.sub(size, graph.scalar(0.5));
    return graph.where(graph.op('LessOrEqual', [size, graph.scalar(1)]), quadratic, linear);
  },
  // -t log s(x) - (1 - t) log(1 - s(x)) with the sigmoid s, written so that nothing overflows.
  'bce-with-logits': (graph, prediction, target) =>
    graph.sub(graph.op('Softplus', [prediction]), graph.mul(prediction, target)),
};

/** Names of the built-in losses. */
export const lossNames: readonly LossName[] = [
  ...(Object.keys(elementLosses) as (keyof typeof elementLosses)[]),
  'cross-entropy',
];

/**
 * Adds the loss of the prediction against the target and returns the name of the scalar.
 * Throws `invalid-argument` for options that do not fit the loss or the prediction.
 */
export function addLoss(graph: GraphBuilder, loss: Loss, inputs: LossInputs, options: LossOptions): string {
  const { prediction, target, sampleWeights } = inputs;
  checkOptions(graph, loss, inputs, options);
  if (typeof loss === 'function') return requireScalar(graph, loss(graph, prediction, target));
  const masked = options.maskMissingTargets === true ? maskMissing(graph, target) : undefined;
  const known = { ...inputs, target: masked?.target ?? target };
  if (loss === 'cross-entropy') return crossEntropy(graph, known, masked?.missing, options);
  const ofOutputs = weighted(graph, elementLosses[loss](graph, prediction, known.target), options);
  const elements = times(graph, ofOutputs, sampleWeights);
  if (masked === undefined) return reduce(graph, elements, options);
  return reduceKnown(graph, elements, masked.missing, options);
}

function weighted(graph: GraphBuilder, elements: string, { outputWeights }: LossOptions): string {
  return outputWeights === undefined ? elements : graph.mul(elements, graph.floats(outputWeights));
}

function times(graph: GraphBuilder, elements: string, sampleWeights: string | undefined): string {
  return sampleWeights === undefined ? elements : graph.mul(elements, sampleWeights);
}

function reduce(graph: GraphBuilder, elements: string, { lossReduction }: LossOptions): string {
  return lossReduction === 'sum' ? graph.reduceSum(elements) : graph.reduceMean(elements);
}

function maskMissing(graph: GraphBuilder, target: string): { target: string; missing: string } {
  const missing = graph.op('IsNaN', [target]);
  return { target: graph.where(missing, graph.scalar(0), target), missing };
}

/** The sum over the elements that are not missing, or their mean. */
function reduceKnown(graph: GraphBuilder, elements: string, missing: string, options: LossOptions): string {
  const total = graph.reduceSum(graph.where(missing, graph.scalar(0), elements));
  if (options.lossReduction === 'sum') return total;
  const known = graph.reduceSum(graph.cast(graph.op('Not', [missing]), DataType.float32));
  return graph.div(total, graph.op('Max', [known, graph.scalar(1)]));
}

/** Classes lie along axis 1: `[batch, classes, ...]`. */
function crossEntropy(
  graph: GraphBuilder,
  { prediction, target, sampleWeights }: LossInputs,
  missing: string | undefined,
  options: LossOptions,
): string {
  const logProbability = graph.logSoftmax(prediction, 1);
  if (options.targetKind === 'class-index') {
    return classIndexLoss(graph, logProbability, { target, sampleWeights }, options);
  }
  const trailing = graph.rank(prediction)! - 2;
  const weights = options.outputWeights;
  const ofClasses =
    weights === undefined
      ? target
      : graph.mul(target, graph.tensor([weights.length, ...Array<number>(trailing).fill(1)], weights));
  const share = times(graph, ofClasses, sampleWeights);
  const rows = graph.neg(graph.reduceSum(graph.mul(share, logProbability), [1]));
  if (missing === undefined) return reduce(graph, rows, options);
  const missingClasses = graph.reduceSum(graph.cast(missing, DataType.float32), [1]);
  return reduceKnown(graph, rows, graph.op('Greater', [missingClasses, graph.scalar(0)]), options);
}

/** Selects the probability of the class index. Invalid indices read class 0 and are masked afterwards. */
function classIndexLoss(
  graph: GraphBuilder,
  logProbability: string,
  { target, sampleWeights }: Omit<LossInputs, 'prediction'>,
  { ignoreIndex = -100, lossReduction }: LossOptions,
): string {
  const [zero, float] = [graph.int(0), DataType.float32];
  const index = graph.unsqueeze(target, [1]);
  const ignored = graph.op('Equal', [index, graph.int(ignoreIndex)]);
  const classes = graph.op('Shape', [logProbability], { start: { int: 1 }, end: { int: 2 } });
  const known = graph.op('And', [
    graph.op('GreaterOrEqual', [index, zero]),
    graph.op('Less', [index, classes]),
  ]);
  const safe = graph.where(known, index, zero);
  const chosen = graph.neg(graph.op('GatherElements', [logProbability, safe], { axis: { int: 1 } }));
  const counted = times(graph, graph.where(known, chosen, graph.scalar(NaN)), sampleWeights);
  const total = graph.reduceSum(graph.where(ignored, graph.scalar(0), counted));
  if (lossReduction === 'sum') return total;
  const samples = graph.reduceSum(graph.cast(graph.op('Not', [ignored]), float));
  return graph.div(total, graph.op('Max', [samples, graph.scalar(1)]));
}

/** Type and shape that the target has to have. */
export function targetType(
  prediction: readonly Dimension[] | undefined,
  loss: Loss,
  options: LossOptions,
): { elementType: number; shape: readonly Dimension[] | undefined } {
  if (loss !== 'cross-entropy' || options.targetKind !== 'class-index') {
    return { elementType: DataType.float32, shape: prediction };
  }
  return { elementType: DataType.int64, shape: prediction?.filter((_, axis) => axis !== 1) };
}

/** Type and shape of the weights of samples. */
export function sampleWeightsType(prediction: readonly Dimension[] | undefined): TensorType {
  const shape = prediction?.map((size, axis) => (axis === 0 ? size : 1));
  return { elementType: DataType.float32, shape };
}

function checkOptions(
  graph: GraphBuilder,
  loss: Loss,
  { prediction, sampleWeights }: LossInputs,
  options: LossOptions,
): void {
  const refuse = (message: string): never => {
    throw new MagnitudeEdgeError('invalid-argument', message);
  };
  const name = typeof loss === 'function' ? 'a custom loss' : `loss '${loss}'`;
  if (typeof loss === 'string' && !lossNames.includes(loss)) {
    refuse(`The loss '${loss}' is neither one of ${lossNames.join(', ')} nor a function.`);
  }
  const { lossReduction, outputWeights, maskMissingTargets, targetKind, ignoreIndex } = options;
  if (lossReduction !== undefined && !['mean', 'sum'].includes(lossReduction)) {
    refuse(`The loss reduction '${lossReduction}' is neither 'mean' nor 'sum'.`);
  }
  const classIndex = targetKind === 'class-index';
  if (classIndex && loss !== 'cross-entropy')
    refuse(`Class indices as targets need loss 'cross-entropy', not ${name}.`);
  if (classIndex && (outputWeights !== undefined || maskMissingTargets === true)) {
    refuse(
      'Class indices as targets cannot be combined with weights or masks; give class probabilities instead.',
    );
  }
  if (ignoreIndex !== undefined && (!classIndex || !Number.isSafeInteger(ignoreIndex))) {
    refuse(
      `An ignored index must be a whole number and needs class indices as targets; it was given with ${name}.`,
    );
  }
  if (typeof loss === 'function' && (outputWeights !== undefined || maskMissingTargets === true)) {
    refuse('Output weights and masks apply only to the built-in losses; a custom loss adds its own.');
  }
  const shape = graph.shape(prediction);
  if (sampleWeights !== undefined && typeof loss === 'function')
    refuse('Sample weights apply only to the built-in losses; a custom loss adds its own.');
  if (sampleWeights !== undefined && shape?.length === 0)
    refuse(`Sample weights need a prediction with an axis of samples, but '${prediction}' is a scalar.`);
  if (loss === 'cross-entropy' && (shape === undefined || shape.length < 2)) {
    refuse(
      `Cross-entropy needs a prediction of shape [batch, classes], but '${prediction}' has another rank.`,
    );
  }
  const outputs = loss === 'cross-entropy' ? shape?.[1] : shape?.at(-1);
  if (outputWeights === undefined) return;
  if (!outputWeights.every(Number.isFinite)) refuse('An output weight is not a finite number.');
  if (typeof outputs === 'number' && outputs !== outputWeights.length) {
    refuse(
      `${outputWeights.length} output weights were given, but there are ${outputs} outputs of '${prediction}'.`,
    );
  }
}

function requireScalar(graph: GraphBuilder, value: string): string {
  if (!graph.has(value)) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `The custom loss returned '${value}', which is not a value of the graph.`,
    );
  }
  const rank = graph.rank(value);
  if (rank === undefined || rank === 0) return value;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `The custom loss returned '${value}' of rank ${rank}; it must be reduced to a scalar.`,
  );
}
