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
values of all blocks and their gradients become outputs; of any other model, the gradients that --wrt names.

  --loss ${lossNames.join('|')}   (mse)
  --loss-reduction mean|sum                            (mean)
  --wrt NAME,NAME,...       values to take gradients of
  --json                    names of inputs and outputs as one JSON object`;

const options = {
  out: { type: 'string' },
  loss: { type: 'string' },
  'loss-reduction': { type: 'string' },
  wrt: { type: 'string' },
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
    const loss = given.choice('loss', lossNames, 'mse');
    const lossReduction = given.choice('loss-reduction', ['mean', 'sum'], 'mean');
    const wrt = given.text('wrt')?.split(',');
    const [place] = await placeOutputs([path, `${path}.data`], [out]);
    const { model, name } = await readModel(pathToFileURL(path), { name: path });
    const graph = buildTrainingGraph(model, { loss, lossReduction, ...gradientsOf(model, name, wrt) });
    await writeOutputs([{ place: place!, bytes: graph.bytes }]);
    printLine(terminal.out, given.flag('json') ? jsonReport(path, out, graph) : textReport(out, graph));
  },
};

/** All block values of a GSNN, or what was asked for. */
function gradientsOf(
  model: OnnxModel,
  name: string,
  wrt: readonly string[] | undefined,
): TrainingGraphOptions {
  if (wrt && !model.metadata.has('gsnn')) return { wrt };
  const { preNorm, activation, output, stopGradient, joint } = readProfile(model, name);
  if (joint) {
    // Its forward pass does not say where gradients stop: differentiating it would give other numbers than the file.
    throw new MagnitudeEdgeError(
      'unsupported-model',
      `${name} is a joint export: it holds the loss '${joint.lossKind}' and its gradients already.`,
      { details: { source: name } },
    );
  }
  const values = [...new Set([...preNorm, ...activation])];
  return { prediction: output, outputs: [output, ...values], wrt: wrt ?? values, stopGradient };
}

function jsonReport(model: string, out: string, graph: TrainingGraph): string {
  const { inputs, target, prediction, loss, outputs, gradients, disconnected } = graph;
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
  });
}

function textReport(out: string, { inputs, target, loss, outputs, gradients }: TrainingGraph): string {
  return [
    `wrote ${out}`,
    `inputs     ${inputs.join(', ')} (targets: ${target})`,
    `loss       ${loss}`,
    `outputs    ${outputs.length}`,
    ...Object.entries(gradients).map(([value, gradient]) => `gradient   of ${value}: ${gradient}`),
  ].join('\n');
}
