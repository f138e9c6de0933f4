import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trainGraph } from '../../../src/cli/train-graph.ts';
import { batches, GsnnModel, MagnitudeEdgeInferer } from '../../../src/index.ts';
import { decodeModel } from '../../../src/training-graph.ts';
import { keepOutputs } from '../../../src/model/joint-graph.ts';
import { expectClose, goldenOf, rowsOf, valuesOf } from '../../support/golden-batches.ts';
import { fixture, modelsFolder, withProfile } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';

describe.each(['layer-elu', 'attention-signed'])('%s as a joint export', (twin) => {
  const { golden, batches: goldenBatches } = goldenOf(`${twin}-joint`);
  let joint: GsnnModel;
  let forward: GsnnModel;

  // Post-norm values of a layer norm are refused: under another norm's name the numbers can be looked at all the same.
  const unnormed = (name: string) => withProfile(name, (profile) => (profile.norm = 'none'));

  beforeAll(async () => {
    joint = await GsnnModel.load(unnormed(`${twin}-joint`));
    forward = await GsnnModel.load(unnormed(twin));
  });
  afterAll(() => Promise.all([joint.release(), forward.release()]));

  test.each([
    { usePreNorm: true, values: 'pre' },
    { usePreNorm: false, values: 'post' },
  ])(
    '$values values and gradients: torch’s, and those of the training graph',
    async ({ usePreNorm, values }) => {
      const own = await joint.trainingSession({ usePreNorm });
      const built = await forward.trainingSession({ usePreNorm });
      for (const batch of goldenBatches) {
        const { from, size } = batch;
        const [found, other] = [await valuesOf(own, batch), await valuesOf(built, batch)];
        for (let pair = 0; pair < joint.layers - 1; pair++) {
          const what = `pair ${pair}, ${size} samples`;
          expectClose(found.activations[pair]!, rowsOf(golden[`${values}_${pair}`]!, from, size), what);
          expectClose(
            found.gradients[pair]!,
            rowsOf(golden[`grad_${values}_${pair + 1}`]!, from, size),
            what,
          );
          expectClose(found.activations[pair]!, other.activations[pair]!, what);
          expectClose(found.gradients[pair]!, other.gradients[pair]!, what);
        }
      }
    },
  );

  test('the same edges come out of a fit', async () => {
    const tables = [];
    for (const model of [joint, forward]) {
      await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
      const data = fixture('layer-elu', 'edges-data.npz');
      expect(await inferer.fit(batches(data, model, { batchSize: 32 }))).toBe(107);
      tables.push(await inferer.evaluate());
    }
    const [found, expected] = tables.map((table) => {
      const rows = table.toArray() as { src_func: string; dst_func: string; corr: number }[];
      return new Map(rows.map(({ src_func, dst_func, corr }) => [`${src_func} -> ${dst_func}`, corr]));
    });
    expect(found!.size).toBe(42);
    // The routes' values agree to 1e-5 of the largest of their batch: small magnitudes of a node to some 1e-4.
    for (const [edge, corr] of found!) {
      if (Number.isNaN(expected!.get(edge))) expect(corr, edge).toBeNaN();
      else expect(corr, edge).toBeCloseTo(expected!.get(edge)!, 4);
    }
  });
});

test('the file is cut down to the values asked for', () => {
  const model = decodeModel(fixture('layer-elu-joint'));
  const { graph } = keepOutputs(model, ['pre0', 'gradPre2']);
  expect(graph.outputs.map(({ name }) => name)).toEqual(['pre0', 'gradPre2']);
  expect(graph.inputs.map(({ name }) => name)).toEqual(['x', 'y']);
  expect(graph.nodes.length).toBeLessThan(model.graph.nodes.length);
});

test.each([
  [{ loss: 'l1' }, /lossKind 'mse' with lossReduction 'mean', but the loss 'l1' was asked for/],
  [{ lossReduction: 'sum' }, /but lossReduction 'sum' was asked for/],
  [{ outputWeights: [1, 2, 3] }, /but outputWeights were asked for/],
  [{ maskMissingTargets: true }, /but maskMissingTargets was asked for/],
] as const)('another loss than the file’s is refused, at load and at fit: %o', async (settings, sentence) => {
  const atLoad = await refusal(GsnnModel.load(fixture('layer-elu-joint'), settings));
  expect(atLoad.message).toMatch(sentence);
  expect(atLoad.code).toBe('unsupported-model');
  await using model = await GsnnModel.load(fixture('layer-elu-joint'), { loss: 'mse' });
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  const atFit = await refusal(inferer.fit([], settings));
  expect(atFit.message).toMatch(sentence);
});

test('no training graph is built of it: its forward pass does not say where gradients stop', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-'));
  try {
    const model = fileURLToPath(new URL('layer-elu-joint/model.onnx', modelsFolder));
    const streams = { out: new PassThrough(), err: new PassThrough() };
    const error = await refusal(trainGraph.run([model, '--out', join(folder, 't.onnx')], streams));
    expect(error.code).toBe('unsupported-model');
    expect(error.message).toMatch(
      /model\.onnx is a joint export: it already holds the loss 'mse' and its gradients/,
    );
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the file’s loss is the model’s', async () => {
  const bytes = withProfile('layer-elu-joint', (profile) => {
    profile.lossKind = 'huber';
    profile.lossReduction = 'sum';
  });
  await using model = await GsnnModel.load(bytes);
  expect([model.loss, model.lossReduction]).toEqual(['huber', 'sum']);
});

type Profile = Record<string, unknown> & { gradPreNorm: string[]; gradActivation: string[] };

test.each<[string, (profile: Profile) => unknown, string, RegExp]>([
  ['joint that is no boolean', (p) => (p.joint = 'yes'), 'invalid-model', /'joint' is "yes"/],
  ['no target', (p) => delete p.target, 'invalid-model', /'target' is missing/],
  ['a target that is no input', (p) => (p.target = 'yhat'), 'invalid-model', /names the input 'yhat'/],
  ['a target of other columns', (p) => (p.target = 'x'), 'graph-mismatch', /'x' \(target\) has 4 columns/],
  ['a loss that is not there', (p) => (p.loss = 'gone'), 'invalid-model', /the value 'gone' \(loss\)/],
  ['an unknown loss', (p) => (p.lossKind = 'hinge'), 'invalid-model', /'lossKind' is 'hinge', one of mse,/],
  ['a gradient too few', (p) => p.gradPreNorm.pop(), 'invalid-model', /'gradPreNorm' names 2 values/],
  [
    'a gradient that is not there',
    (p) => (p.gradActivation[2] = 'gone'),
    'invalid-model',
    /the value 'gone' \(gradActivation\[2\]\)/,
  ],
])('a profile with %s', async (_, edit, code, sentence) => {
  const bytes = withProfile('layer-elu-joint', (profile) => edit(profile as Profile));
  const error = await refusal(GsnnModel.load(bytes, { name: 'm.onnx' }));
  expect(error.message).toMatch(sentence);
  expect(error.code).toBe(code);
});
