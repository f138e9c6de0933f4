import { pathToFileURL } from 'node:url';
import { MagnitudeEdgeError } from '../errors.ts';
import type { OnnxModel } from '../onnx/graph.ts';
import { readProfile } from '../model/profile.ts';
import { readModel } from '../model/read-model.ts';
import {
  buildTrainingGraph,
  type TrainingGraph,
  type TrainingGraphOptions,
} from '../training-graph/build.ts';
import { lossNames } from '../training-graph/losses.ts';
import { Arguments, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { writeOutputs } from './files.ts';
import { placeOutputs } from './output-place.ts';
import { printLine } from './terminal.ts';

const help = `magnitude-edge train-graph M.onnx --out T.onnx

Writes a model with its loss and the gradients of the loss as one ordinary ONNX graph. Of a GSNN (ONNX profile v1), the
values of all blocks and their gradients become outputs, unless --wrt names others; of any other model, the gradients with
respect to what --wrt and --parameters name.

  --loss ${lossNames.join('|')}   (mse)
  --loss-reduction mean|sum                            (mean)
  --target-kind values|class-index                     kind of cross-entropy targets  (values)
  --ignore-index=N             class index that marks samples to leave out  (-100)
  --mask-missing-targets       leaves targets that are NaN out of the loss
  --wrt NAME,NAME,...          inputs or inner values to take gradients of
  --parameters all|NAME,...    parameters to take gradients of; they become inputs
  --prediction NAME            output that the loss uses, if the model has several
  --outputs NAME,NAME,...      values to output besides loss and gradients    (the prediction)
  --stop-gradient NAME,...     values that block gradients (torch detach), besides those that a GSNN's metadata names
  --json                       prints names of inputs and outputs as one JSON object`;

const options = {
  out: { type: 'string' },
  loss: { type: 'string' },
  'loss-reduction': { type: 'string' },
  'target-kind': { type: 'string' },
  'ignore-index': { type: 'string' },
  'mask-missing-targets': { type: 'boolean' },
  wrt: { type: 'string' },
  parameters: { type: 'string' },
  prediction: { type: 'string' },
  outputs: { type: 'string' },
  'stop-gradient': { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const trainGraph: Command = {
  help,
  async run(args, terminal) {
    const given = new Arguments(args, options, { allowed: true });
    const [path, ...further] = given.positionals;
    if (path === undefined) throw new UsageError('no model was given');
    if (further.length > 0)
      throw new UsageError(`one model was expected, and ${given.positionals.length} were given`);
    const out = given.required('out');
    const requested: NamedValues = {
      wrt: given.names('wrt'),
      parameters: given.text('parameters') === 'all' ? 'all' : given.names('parameters'),
      prediction: given.text('prediction'),
      outputs: given.names('outputs'),
      stopGradient: given.names('stop-gradient'),
    };
    const loss = {
      loss: given.choice('loss', lossNames, 'mse'),
      lossReduction: given.choice('loss-reduction', ['mean', 'sum'], 'mean'),
      targetKind: given.choice('target-kind', ['values', 'class-index'], 'values'),
      ignoreIndex: given.wholeNumber('ignore-index', Number.MIN_SAFE_INTEGER),
      maskMissingTargets: given.flag('mask-missing-targets'),
    };
    const [place] = await placeOutputs([path, `${path}.data`], [out]);
    const { model, name } = await readModel(pathToFileURL(path), { name: path });
    const graph = buildTrainingGraph(model, { ...loss, ...gradientsOf(model, name, requested) });
    await writeOutputs([{ place: place!, bytes: graph.bytes }]);
    printLine(terminal.out, given.flag('json') ? jsonReport(path, out, graph) : textReport(out, graph));
  },
};

/** The values requested by name; undefined if none were. */
type NamedValues = Pick<
  TrainingGraphOptions,
  'wrt' | 'parameters' | 'prediction' | 'outputs' | 'stopGradient'
>;

/** All block values of a GSNN, or the requested ones. */
function gradientsOf(model: OnnxModel, name: string, requested: NamedValues): NamedValues {
  if (!model.metadata.has('gsnn')) {
    if (requested.wrt ?? requested.parameters) return requested;
    throw new MagnitudeEdgeError(
      'unsupported-model',
      `${name} is not an exported GSNN (it has no metadata key 'gsnn'): for any other model, --wrt or --parameters must name the values whose gradients are wanted.`,
      { details: { source: name } },
    );
  }
  const { preNorm, activation, output, stopGradient, joint } = readProfile(model, name);
  if (joint) {
    // Its forward pass does not mark where gradients stop: differentiating it would give other numbers than the file.
    throw new MagnitudeEdgeError(
      'unsupported-model',
      `${name} is a joint export: it already holds the loss '${joint.lossKind}' and its gradients.`,
      { details: { source: name } },
    );
  }
  const values = [...new Set([...preNorm, ...activation])];
  const prediction = requested.prediction ?? output;
  return {
    prediction,
    outputs: requested.outputs ?? [prediction, ...values],
    wrt: requested.wrt ?? values,
    parameters: requested.parameters,
    stopGradient: [...stopGradient, ...(requested.stopGradient ?? [])],
  };
}

function jsonReport(model: string, out: string, graph: TrainingGraph): string {
  const { inputs, target, prediction, loss, outputs, gradients, disconnected, parameters, sharedParameters } =
    graph;
  return JSON.stringify({
    command: 'train-graph',
    model,
    out,
    inputs,
    target,
    prediction,
    loss,
    outputs,
    gradients,
    disconnected,
    parameters: Object.keys(parameters),
    sharedParameters,
  });
}

function textReport(out: string, graph: TrainingGraph): string {
  const { inputs, target, loss, outputs, gradients, disconnected, parameters, sharedParameters } = graph;
  const note = (value: string): string => {
    if (disconnected.includes(value)) return ' (zeros: the loss does not depend on it)';
    const readers = sharedParameters[value];
    return readers === undefined ? '' : ` (the sum over its uses: ${readers.join(', ')})`;
  };
  const names = Object.keys(parameters);
  const ofModel = inputs.filter((input) => !Object.hasOwn(parameters, input));
  return [
    `wrote ${out}`,
    `inputs     ${ofModel.join(', ')} (targets: ${target})`,
    ...(names.length > 0
      ? [`parameters ${names.join(', ')} (now inputs; their values are in the model)`]
      : []),
    `loss       ${loss}`,
    `outputs    ${outputs.length}`,
    ...Object.entries(gradients).map(
      ([value, gradient]) => `gradient   of ${value}: ${gradient}${note(value)}`,
    ),
  ].join('\n');
}
