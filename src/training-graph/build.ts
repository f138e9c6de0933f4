import { MagnitudeEdgeError } from '../errors.ts';
import { asModel, type DecodeOptions, type ModelSource } from '../onnx/decode.ts';
import { encodeModel } from '../onnx/encode.ts';
import type { OnnxModel } from '../onnx/graph.ts';
import { float32Values } from '../onnx/tensor.ts';
import { assemble } from './assemble.ts';
import { differentiate } from './differentiate.ts';
import { ForwardGraph } from './forward.ts';
import { sharedParameters } from './shared-parameters.ts';
import { addLoss, sampleWeightsType, targetType, type Loss, type LossOptions } from './losses.ts';

/** What the training graph should compute. */
export interface TrainingGraphOptions extends LossOptions, DecodeOptions {
  /** Default 'mse'. */
  readonly loss?: Loss | undefined;
  /** Values whose gradients are requested, by name: inputs, parameters or inner values of the model. Default none. */
  readonly wrt?: readonly string[] | undefined;
  /**
   * Parameters (float32 initializers) whose gradients are requested; 'all' takes those that the loss depends on. They
   * become inputs of the training graph; feed them {@link TrainingGraph.parameters} at first.
   */
  readonly parameters?: 'all' | readonly string[] | undefined;
  /** Values of the model that become outputs in addition to the loss and the gradients. Default: the prediction. */
  readonly outputs?: readonly string[] | undefined;
  /** Values through which no gradient flows (torch `detach`). */
  readonly stopGradient?: readonly string[] | undefined;
  /** The output that the loss is applied to. Default: the model's only output. */
  readonly prediction?: string | undefined;
  /** Preferred name of the input for the targets; replaced if the model already uses it. Default 'target'. */
  readonly target?: string | undefined;
  /**
   * Adds an input of one factor per sample on the elements of a built-in loss, `[batch, 1, ...]` with the prediction's
   * rank; the mean still counts all elements. Default false.
   */
  readonly sampleWeights?: boolean | undefined;
}

/** A parameter's shape and values, row-major. */
export interface ParameterValue {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** A forward, loss and backward pass as one ordinary ONNX graph, and the names needed to run it. */
export interface TrainingGraph {
  /** The ONNX file, owned by the caller. */
  readonly bytes: Uint8Array;
  /** The same in decoded form, as of {@link decodeModel}; borrows the constants of the source. */
  readonly model: OnnxModel;
  /** Inputs in order: the model's that are still needed, the target, the sample weights if any, then the parameters. */
  readonly inputs: readonly string[];
  /** The input that takes the targets: in the shape of the prediction, without the class axis for class indices. */
  readonly target: string;
  /** The input that takes the sample weights; undefined unless they were requested. */
  readonly sampleWeights: string | undefined;
  readonly prediction: string;
  /** The output that holds the loss, a float32 scalar. */
  readonly loss: string;
  /** All outputs in order: the loss, the requested values, the gradients. */
  readonly outputs: readonly string[];
  /** The output that holds d loss / d value, in the value's shape, by the name of the value or parameter. */
  readonly gradients: Readonly<Record<string, string>>;
  /** The parameters that became inputs, with their values in the model; owned by the caller. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /**
   * The parameters that more than one node of the model reads, with the names of these nodes: tied weights, and equal
   * weights that an exporter stored once (as torch.onnx does with equal biases). Their gradients are sums over all
   * uses.
   */
  readonly sharedParameters: Readonly<Record<string, readonly string[]>>;
  /** Entries of `wrt` and of named `parameters` that the loss does not depend on: their gradients are zeros. */
  readonly disconnected: readonly string[];
}

/**
 * Builds the training graph of a model from standard operators only (operator set 18 or the model's own, if newer), so
 * that any ONNX runtime can run it. The gradient of a value is taken over all paths from it to the loss. An Identity
 * does not create a new value: the gradient of its output is that of its input, unless `stopGradient` names the output.
 *
 * Throws `invalid-model` for files that cannot be read and for values on a needed path that are not float32,
 * `invalid-argument` for names that the model does not have and options that do not fit, `unsupported-op` for an
 * operator without a gradient rule on a needed path (naming operator, node and path).
 */
export function buildTrainingGraph(source: ModelSource, options: TrainingGraphOptions = {}): TrainingGraph {
  const original = asModel(source, options);
  const namedValues = [
    options.wrt,
    options.outputs,
    options.stopGradient,
    options.prediction ?? outputNames(original),
  ].flat();
  const forward = new ForwardGraph(
    original,
    options.parameters ?? [],
    new Set(namedValues.filter((name) => name !== undefined)),
  );
  const { graph } = forward;
  const loss = options.loss ?? 'mse';
  const prediction = predictionOf(forward, options.prediction);
  const wrt = [...new Set(options.wrt ?? [])];
  const outputs = options.outputs ?? [prediction];
  const stops = new Set(options.stopGradient);
  forward.requireValues('wrt', wrt);
  forward.requireDifferentiable(wrt);
  forward.requireValues('outputs', outputs);
  forward.requireValues('stopGradient', [...stops]);

  const target = graph.freshName(options.target ?? 'target');
  graph.addInput(target, targetType(graph.shape(prediction), loss, options));
  const sampleWeights = options.sampleWeights === true ? graph.freshName('sample_weights') : undefined;
  if (sampleWeights !== undefined) graph.addInput(sampleWeights, sampleWeightsType(graph.shape(prediction)));
  graph.scope = 'loss/';
  const lossValue = addLoss(graph, loss, { prediction, target, sampleWeights }, options);

  graph.shareExisting();
  graph.scope = 'backward/';
  const differentiated = [...new Set([...wrt, ...forward.parameters.keys()])];
  const roots = new Map(differentiated.map((value) => [value, forward.aliasRoot(value, stops)]));
  const found = differentiate({
    graph,
    seeds: new Map([[lossValue, [graph.scalar(1)]]]),
    wrt: [...new Set(roots.values())],
    stops,
  });
  const gradients = new Map<string, string>();
  const disconnected: string[] = [];
  for (const [value, root] of roots) {
    const gradient = found.get(root);
    if (gradient !== undefined) gradients.set(value, gradient);
    else if (wrt.includes(value) || options.parameters !== 'all') {
      gradients.set(value, graph.zerosLike(value));
      disconnected.push(value);
    }
  }
  const assembled = assemble(forward, { target, sampleWeights, loss: lossValue, outputs, gradients });
  const inputs = new Set(assembled.inputs);
  const parameters = new Map<string, ParameterValue>();
  for (const [name, tensor] of forward.parameters) {
    if (inputs.has(name)) parameters.set(name, { dims: tensor.dims, values: float32Values(tensor) });
  }
  return {
    bytes: encodeModel(assembled.model),
    ...assembled,
    gradients: byName(assembled.gradients),
    target,
    sampleWeights,
    prediction,
    parameters: byName(parameters),
    sharedParameters: byName(sharedParameters(forward.model.graph.nodes, prediction, parameters.keys())),
    disconnected,
  };
}

/** A plain record without inherited properties: a model's values may be called `__proto__` or `constructor`. */
function byName<T>(entries: ReadonlyMap<string, T>): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null) as Record<string, T>, Object.fromEntries(entries));
}

function outputNames({ graph }: OnnxModel): readonly string[] {
  return graph.outputs.map(({ name }) => name);
}

function predictionOf(forward: ForwardGraph, requested: string | undefined): string {
  if (requested !== undefined) {
    forward.requireValues('prediction', [requested]);
    return requested;
  }
  const names = outputNames(forward.model);
  if (names.length === 1) return names[0]!;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `The model has ${names.length} outputs (${names.slice(0, 8).join(', ')}); name the one that the loss takes as 'prediction'.`,
  );
}
