import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GsnnModel } from '../../../src/model/gsnn-model.ts';
import { ModelProtoSchema, StringStringEntryProtoSchema } from '../../../src/onnx/schema/onnx_pb.ts';
import { fixture } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';

/** A fixture's model with its largest constant in a file of its own, as torch.onnx.export leaves models behind. */
function splitModel(location: string): { model: Uint8Array; data: Uint8Array } {
  const proto = fromBinary(ModelProtoSchema, fixture('layer-elu'));
  const largest = proto.graph!.initializer.reduce((a, b) => (b.rawData.length > a.rawData.length ? b : a));
  const data = new Uint8Array(largest.rawData);
  largest.rawData = new Uint8Array();
  largest.dataLocation = 1;
  largest.externalData = Object.entries({ location, offset: '0', length: String(data.length) }).map(
    ([key, value]) => create(StringStringEntryProtoSchema, { key, value }),
  );
  return { model: toBinary(ModelProtoSchema, proto), data };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('external data is taken from the caller', async () => {
  const { model, data } = splitModel('m.onnx.data');
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
  const { model, data } = splitModel('m.onnx.data');
  await writeFile(join(folder, 'm.onnx'), model);
  await writeFile(join(folder, 'm.onnx.data'), data);
  const loaded = await GsnnModel.load(pathToFileURL(join(folder, 'm.onnx')));
  expect(loaded.layers).toBe(3);
});

test('external data that is not supplied is named', async () => {
  const { model } = splitModel('weights.bin');
  const error = await refusal(GsnnModel.load(model, { name: 'm.onnx' }));
  expect(error.code).toBe('invalid-model');
  expect(error.message).toMatch(/^m\.onnx: .*external file 'weights\.bin', which was not supplied/);
});

test.each(['../secret', '/etc/passwd', 'https://example.org/x', '..'])(
  'a model cannot have %s read',
  async (location) => {
    const { model, data } = splitModel(location);
    await writeFile(join(folder, 'hostile.onnx'), model);
    await writeFile(join(folder, 'secret'), data);
    const error = await refusal(GsnnModel.load(pathToFileURL(join(folder, 'hostile.onnx'))));
    expect(error.message).toMatch(/was not supplied/);
  },
);
