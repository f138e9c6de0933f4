import { readFile } from 'node:fs/promises';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Batch, batches, GsnnModel, MagnitudeEdgeInferer } from '../../src/index.ts';
import { runModelsOnOwnThread } from '../../src/model/runtime-thread.ts';
import { createSession } from '../../src/model/runtime.ts';
import { expectGoldenEdges, goldenBatches } from '../support/edge-goldens.ts';
import { fixture, modelsFolder } from '../support/model-files.ts';
import { refusal } from '../support/refusal.ts';

/** Models on a thread of their own, where a batch runs while the one before it is taken in. */
let model: GsnnModel;
let data: Batch[];

beforeAll(async () => {
  runModelsOnOwnThread(import.meta.resolve('onnxruntime-web'));
  model = await GsnnModel.load(fixture('layer-elu'));
  const loader = batches(fixture('layer-elu', 'edges-data.npz'), model, { batchSize: 32 });
  data = [];
  for await (const batch of loader) data.push(batch);
});
afterAll(() => model.release());

const create = (): Promise<MagnitudeEdgeInferer> => MagnitudeEdgeInferer.create(model, { backend: 'cpu' });

test('edge tables against the float64 oracle', async () => {
  await using inferer = await create();
  const loader = batches(fixture('layer-elu', 'edges-data.npz'), model, goldenBatches);
  expect(await inferer.fit(loader)).toBe(107);
  expect((await model.trainingSession()).runsBeside).toBe(true);
  for (const score of ['corr', 'partial'] as const) {
    const oracle = await readFile(new URL(`layer-elu/edges-${score}.arrow`, modelsFolder));
    expectGoldenEdges(await inferer.evaluate({ score }), tableFromIPC(oracle));
  }
});

/** The first batch with its first input changed. */
function batchWith(value: number): Batch {
  const x = Float32Array.from(data[0]!.x as Float32Array);
  x[0] = value;
  return { ...data[0]!, x };
}

function* thenFails(): Generator<Batch> {
  yield data[0]!;
  yield data[1]!;
  throw new RangeError('no more');
}

test.each<[string, () => Iterable<Batch>, RegExp]>([
  ['a batch that is not run', () => [data[0]!, data[1]!, batchWith(NaN), data[2]!], /^Batch 2 holds NaN/],
  ['a batch that gives NaN', () => [data[0]!, data[1]!, batchWith(3e38), data[2]!], /^Batch 2: the /],
  ['a loader that fails', thenFails, /^no more$/],
])('%s ends the fit, and the batches before it stay', async (_, loader, sentence) => {
  await using inferer = await create();
  await expect(inferer.fit(loader())).rejects.toThrow(sentence);
  expect(inferer.samples).toBe(64);
  expect(await inferer.fit([data[2]!], { reset: false })).toBe(96);
  const whole = await create();
  await whole.fit(data.slice(0, 3));
  const scores = async (of: MagnitudeEdgeInferer) => (await of.evaluate()).getChild('corr')!.toArray();
  expect(await scores(inferer)).toEqual(await scores(whole));
  await whole.release();
});

test('what the runtime refuses is told in its words', async () => {
  const error = await refusal(createSession(new Uint8Array(9), { provider: 'wasm' }));
  expect(error.code).toBe('runtime');
  expect(error.message).toMatch(/^onnxruntime-web could not prepare the training graph: .*protobuf/);
});

test('a session that is released runs no more', async () => {
  const session = await createSession(fixture('layer-elu'), { provider: 'wasm' });
  await session.release();
  await session.release();
  expect((await refusal(session.run({}, []))).code).toBe('released');
});
