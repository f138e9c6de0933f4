import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GsnnModel } from '../../../src/index.ts';
import { fixture } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';
import { splitModel } from '../../support/split-model.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('external data is taken from the caller', async () => {
  const { model, data } = splitModel(fixture('layer-elu'), 'm.onnx.data');
  const loaded = await GsnnModel.load(model, { externalData: { 'm.onnx.data': data } });
  const session = await loaded.trainingSession();
  const values = await session.run(new Float32Array(8).fill(1), new Float32Array(6), 2);
  const whole = await GsnnModel.load(fixture('layer-elu'));
  const expected = await (
    await whole.trainingSession()
  ).run(new Float32Array(8).fill(1), new Float32Array(6), 2);
  expect(values.gradients).toEqual(expected.gradients);
  await Promise.all([loaded.release(), whole.release()]);
});

test('external data beside the model is found', async () => {
  const { model, data } = splitModel(fixture('layer-elu'), 'm.onnx.data');
  await writeFile(join(folder, 'm.onnx'), model);
  await writeFile(join(folder, 'm.onnx.data'), data);
  const loaded = await GsnnModel.load(pathToFileURL(join(folder, 'm.onnx')));
  expect(loaded.layers).toBe(3);
});

test('external data that is not supplied is named', async () => {
  const { model } = splitModel(fixture('layer-elu'), 'weights.bin');
  const error = await refusal(GsnnModel.load(model, { name: 'm.onnx' }));
  expect(error.code).toBe('invalid-model');
  expect(error.message).toMatch(/^m\.onnx: .*external file 'weights\.bin', which was not supplied/);
});

test.each(['../secret', '/etc/passwd', 'https://example.org/x', '..'])(
  'a model cannot have %s read',
  async (location) => {
    const { model, data } = splitModel(fixture('layer-elu'), location);
    await writeFile(join(folder, 'hostile.onnx'), model);
    await writeFile(join(folder, 'secret'), data);
    const error = await refusal(GsnnModel.load(pathToFileURL(join(folder, 'hostile.onnx'))));
    expect(error.message).toMatch(/was not supplied/);
  },
);
