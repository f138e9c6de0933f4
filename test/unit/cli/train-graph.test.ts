import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inCommandWords } from '../../../src/cli/reading-options.ts';
import { trainGraph } from '../../../src/cli/train-graph.ts';
import { MagnitudeEdgeError } from '../../../src/index.ts';
import { decodeModel } from '../../../src/training-graph.ts';
import { float32Tensor } from '../../../src/onnx/tensor.ts';
import { modelsFolder } from '../../support/model-files.ts';
import { onnxFile } from '../../support/single-op.ts';

/** Two outputs: logits of x and a weight, which `hidden` leads to, and labels; `aside` leads to none of them. */
const classifier = onnxFile({
  inputs: { x: ['batch', 2], aside: ['batch'] },
  constants: { w: float32Tensor([2, 3], [1, 2, 3, 4, 5, 6]), unused: float32Tensor([1], [1]) },
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['hidden'] },
    { op: 'Tanh', inputs: ['hidden'], outputs: ['logits'] },
    { op: 'ArgMax', inputs: ['logits'], outputs: ['labels'] },
    { op: 'Neg', inputs: ['aside'], outputs: ['elsewhere'] },
  ],
  outputs: ['labels', 'logits'],
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'train-graph-'));
  await writeFile(join(folder, 'm.onnx'), classifier);
});
afterEach(() => rm(folder, { recursive: true }));

async function run(...args: string[]): Promise<string> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const all = [join(folder, 'm.onnx'), '--out', join(folder, 't.onnx'), ...args];
  await trainGraph.run(args[0]?.endsWith('.onnx') ? [args[0], ...all.slice(1, 3), ...args.slice(1)] : all, {
    out,
    err,
  });
  return String(out.read());
}

/** What the command would print. */
async function message(...args: string[]): Promise<string> {
  try {
    await run(...args);
  } catch (error) {
    if (error instanceof MagnitudeEdgeError) return inCommandWords(error);
    if (error instanceof Error && error.name === 'UsageError') return error.message;
    throw error;
  }
  throw new Error('The command was not refused.');
}

interface Report {
  readonly inputs: string[];
  readonly outputs: string[];
  readonly parameters: string[];
  readonly gradients: Record<string, string>;
  readonly disconnected: string[];
  readonly target: string;
}
const report = async (...args: string[]): Promise<Report> =>
  JSON.parse(await run(...args, '--json')) as Report;

describe('train-graph of a model that is no GSNN', () => {
  test('asks for what gradients are wanted', async () => {
    expect(await message('--prediction', 'logits')).toMatch(
      /m\.onnx is not an exported GSNN .*for any other model, --wrt or --parameters must name/,
    );
  });

  test('asks for the output that the loss takes, by the option that names it', async () => {
    expect(await message('--wrt', 'x')).toMatch(
      /^The model has 2 outputs \(labels, logits\); name the one that the loss takes with --prediction\.$/,
    );
    const { gradients, outputs } = await report('--wrt', 'x', '--prediction', 'logits');
    expect(gradients).toEqual({ x: 'x.grad' });
    expect(outputs).toEqual(['loss', 'logits', 'x.grad']);
    const { graph } = decodeModel(await readFile(join(folder, 't.onnx')));
    expect(graph.outputs.map(({ name }) => name)).toEqual(outputs);
  });

  test('says which gradients are zeros since the loss does not depend on the value', async () => {
    const text = await run('--wrt', 'x,aside', '--prediction', 'logits');
    expect(text).toContain('gradient   of x: x.grad\n');
    expect(text).toContain('gradient   of aside: aside.grad (zeros: the loss does not depend on it)\n');
  });

  test('gradients of all parameters, or of those named, without --wrt', async () => {
    const all = await report('--parameters', 'all', '--prediction', 'logits');
    expect([all.parameters, all.gradients, all.disconnected]).toEqual([['w'], { w: 'w.grad' }, []]);
    const named = await report('--parameters', 'w, unused', '--prediction', 'logits');
    expect([Object.keys(named.gradients), named.disconnected]).toEqual([['w', 'unused'], ['unused']]);
    expect(await run('--parameters', 'all', '--prediction', 'logits')).toContain(
      'parameters w (now inputs; their values are in the model)\n',
    );
  });

  test('no gradient passes the values of --stop-gradient', async () => {
    const { disconnected } = await report(
      ...['--wrt', 'x', '--prediction', 'logits', '--stop-gradient', 'hidden'],
    );
    expect(disconnected).toEqual(['x']);
  });

  test('--outputs and the kind of target', async () => {
    const { outputs, target } = await report(
      ...['--wrt', 'x', '--prediction', 'logits', '--outputs', 'hidden,labels'],
      ...['--loss', 'cross-entropy', '--target-kind', 'class-index', '--ignore-index=-1'],
    );
    expect(outputs).toEqual(['loss', 'hidden', 'labels', 'x.grad']);
    const { graph } = decodeModel(await readFile(join(folder, 't.onnx')));
    expect(graph.inputs.find(({ name }) => name === target)?.type.elementType).toBe(7);
  });

  test.each([
    [['--wrt', 'q'], /^The model has no value 'q', which --wrt names\.$/],
    [['--wrt', 'x', '--stop-gradient', 'q'], /^The model has no value 'q', which --stop-gradient names\.$/],
    [['--wrt', 'x', '--outputs', 'q'], /^The model has no value 'q', which --outputs names\.$/],
    [['--parameters', 'q'], /^The model has no float32 parameter 'q'\.$/],
    [['--wrt', 'x,'], /^--wrt has an empty name in its list$/],
    [['--wrt', 'x', '--target-kind', 'q'], /^--target-kind is 'q', one of values, class-index was expected$/],
    [
      ['--wrt', 'x', '--ignore-index=1'],
      /^An ignored index .* needs class indices as targets; it was given with loss 'mse'\.$/,
    ],
  ])('%j is refused in one line', async (args, sentence) => {
    expect(await message(...args, '--prediction', 'logits')).toMatch(sentence);
  });
});

describe('train-graph of a GSNN', () => {
  const model = fileURLToPath(new URL('layer-elu/model.onnx', modelsFolder));

  test('gives all values of its blocks and their gradients, with parameters as well where asked', async () => {
    const { gradients, parameters } = await report(model);
    expect([Object.keys(gradients).length, parameters]).toEqual([6, []]);
    const further = await report(model, '--parameters', 'all');
    expect(further.gradients).toMatchObject({ ...gradients, 'read_out.weight1': 'read_out.weight1.grad' });
    expect(further.parameters).toContain('read_out.weight1');
  });

  test('values of --stop-gradient are stopped besides its own', async () => {
    expect((await report(model)).disconnected).toEqual([]);
    expect((await report(model, '--stop-gradient', 'post2')).disconnected).toEqual(['pre2']);
  });
});
