import { expect } from 'vitest';
import { batches, GsnnModel, MagnitudeEdgeInferer } from '../../src/index.ts';
import { refusal } from '../support/refusal.ts';
import { test } from '../support/gpu.ts';

const folder = '/test/fixtures/models/layer-elu';
const onWebGpu = { executionProvider: 'webgpu' } as const;
const loaderFor = (model: GsnnModel): ReturnType<typeof batches> =>
  batches(`${folder}/edges-data.npz`, model, { batchSize: 32 });

test("the caller's device carries model and statistics, and outlives both", async ({ gpu }) => {
  const { device } = gpu;
  const model = await GsnnModel.load(`${folder}/model.onnx`, { ...onWebGpu, device });
  const inferer = await MagnitudeEdgeInferer.create(model, { backend: 'webgpu' });
  expect(model.device).toBe(device);

  // Values of a training session are buffers of that device.
  const session = await model.trainingSession({ onGpu: true });
  const values = await session.run(new Float32Array(8).fill(1), new Float32Array(6), 2);
  const copy = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(values.activations[0] as GPUBuffer, 0, copy, 0, 16);
  device.queue.submit([encoder.finish()]);
  values.dispose();

  expect(await inferer.fit(loaderFor(model))).toBe(107);
  expect(await inferer.fit(loaderFor(model))).toBe(107);
  await inferer.release();
  await model.release();
  await device.queue.onSubmittedWorkDone();
  expect(gpu.lostReason).toBeUndefined();
});

test('a model that is released first leaves its device to the inferer', async () => {
  const model = await GsnnModel.load(`${folder}/model.onnx`, onWebGpu);
  const inferer = await MagnitudeEdgeInferer.create(model, { backend: 'webgpu' });
  await inferer.fit(loaderFor(model));
  await model.release();
  expect((await inferer.evaluate({ score: 'partial' })).numRows).toBe(42);
  await inferer.release();
  const { reason } = await model.device!.lost;
  expect(reason).toBe('destroyed');
});

test('two models at once: the runtime makes one session at a time, and nobody has to know', async () => {
  const tables = await Promise.all(
    [1, 2].map(async () => {
      await using model = await GsnnModel.load(`${folder}/model.onnx`, onWebGpu);
      await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'webgpu' });
      await inferer.fit(loaderFor(model));
      return await inferer.evaluate();
    }),
  );
  const [first, second] = tables.map((table) => table.getChild('corr')!.toArray());
  expect(first).toEqual(second);
});

test('a value that the model gives as NaN is refused by name, and the batches before it stay', async () => {
  await using model = await GsnnModel.load(`${folder}/model.onnx`, onWebGpu);
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'webgpu' });
  const good = {
    x: new Float32Array(32 * 4).map((_, k) => Math.sin(k * k)),
    y: new Float32Array(32 * 3),
    size: 32,
  };
  const bad = { ...good, x: good.x.map((value, k) => (k === 5 ? 3e38 : value)) };
  const error = await refusal(inferer.fit([good, good, bad, good]));
  expect(error.code).toBe('non-finite');
  expect(error.message).toMatch(/^Batch 2: the (activation|gradient) of block \d at function node 'gene_\d'/);
  expect(inferer.samples).toBe(64);
  expect((await inferer.evaluate()).schema.metadata.get('n')).toBe('64');
  expect(await inferer.fit([good], { reset: false })).toBe(96);
});
