import { expect } from 'vitest';
import {
  type ChannelBatch,
  createCpuEngine,
  createWebGpuEngine,
  type Engine,
  type EngineShape,
  raggedFromLists,
  type SufficientStatistics,
} from '../../src/statistics.ts';
import { bufferUsage } from '../../src/gpu/constants.ts';
import { acquireDevice, releaseDevice, type GpuContext } from '../../src/gpu/device.ts';
import { floats, largestDifference, normalNumbers } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';
import { refusal } from '../support/refusal.ts';

const nodes = 11;
const channels = 40;
const shape: EngineShape = {
  nodes,
  pairs: 2,
  channels,
  channelGroups: raggedFromLists(
    Array.from({ length: nodes }, (_, node) =>
      node === 3 ? Array.from({ length: 30 }, (_, c) => c) : [30 + (node % 10)],
    ),
  ),
  reduction: 'l2',
};
const request = {
  score: 'partial',
  layerAgg: 'mean',
  ridge: 1e-8,
  conditioningSets: raggedFromLists(
    Array.from({ length: nodes }, (_, j) => (j === 5 ? [] : [(j + 1) % nodes])),
  ),
} as const;

function channelBatch(seed: number, size: number): ChannelBatch {
  const normal = normalNumbers(seed);
  const values = (): Float32Array => Float32Array.from({ length: size * channels }, normal);
  return { size, activations: [values(), values()], gradients: [values(), values()] };
}

function create(gpu: GpuContext, overrides: Partial<EngineShape> = {}): Promise<Engine> {
  return createWebGpuEngine({ device: gpu.device, shape: { ...shape, ...overrides } });
}

function expectSame(found: SufficientStatistics, expected: SufficientStatistics): void {
  expect(found.samples).toBe(expected.samples);
  found.pairs.forEach((pair, p) => {
    for (const [name, sums] of Object.entries(pair)) {
      expect(sums, name).toEqual(expected.pairs[p]![name as keyof typeof pair]);
    }
  });
}

test('channel values in, scores of the twin out', async ({ gpu }) => {
  const engine = await create(gpu);
  const twin = createCpuEngine(shape);
  for (const batch of [channelBatch(1, 200), channelBatch(2, 1), channelBatch(3, 64)]) {
    await engine.accumulate(batch);
    await twin.accumulate(batch);
  }
  expect(await engine.flush()).toBe(265);
  for (const score of ['corr', 'partial'] as const) {
    const found = await engine.score({ ...request, score });
    const expected = await twin.score({ ...request, score });
    expect(largestDifference(found.aggregated, expected.aggregated)).toBeLessThanOrEqual(1e-6);
  }
  await engine.release();
});

test('buffers of the device and arrays give the same sums, bit for bit', async ({ gpu }) => {
  const onHost = await create(gpu);
  const onGpu = await create(gpu);
  for (const batch of [channelBatch(1, 30), channelBatch(2, 2000)]) {
    await onHost.accumulate(batch);
    const upload = (values: readonly unknown[]): GPUBuffer[] =>
      values.map((value) => floats(gpu, value as Float32Array).buffer);
    const buffers = {
      size: batch.size,
      activations: upload(batch.activations),
      gradients: upload(batch.gradients),
    };
    await onGpu.accumulate(buffers);
    // The call has resolved: its owner may free the values at once.
    for (const buffer of [...buffers.activations, ...buffers.gradients]) buffer.destroy();
  }
  expectSame(await onGpu.statistics(), await onHost.statistics());
  await onHost.release();
  await onGpu.release();
});

test.for([[40], [2500]])(
  'a batch of %d that is not finite leaves the earlier ones as they were',
  async ([size], { gpu }) => {
    const engine = await create(gpu);
    const only = await create(gpu);
    for (const seed of [1, 2]) {
      await engine.accumulate(channelBatch(seed, 50));
      await only.accumulate(channelBatch(seed, 50));
    }
    const bad = channelBatch(3, size!);
    (bad.gradients[1] as Float32Array)[size! * channels - 40 + 17] = NaN;
    const thrown = await refusal(
      (async () => {
        await engine.accumulate(bad);
        await engine.accumulate(channelBatch(4, 50));
        await engine.accumulate(channelBatch(5, 1500));
        await engine.flush();
      })(),
    );
    expect(thrown.code).toBe('non-finite');
    expect(thrown.details).toEqual({ batch: 2, quantity: 'gradient', layer: 2, node: 3 });
    expect((await refusal(engine.accumulate(channelBatch(6, 10)))).code).toBe('non-finite');
    expectSame(await engine.statistics(), await only.statistics());
    const scores = await engine.score(request);
    expect(largestDifference(scores.aggregated, (await only.score(request)).aggregated)).toBe(0);
    engine.reset();
    await engine.accumulate(channelBatch(1, 50));
    expect(await engine.flush()).toBe(50);
    await engine.release();
    await only.release();
  },
);

test('a first batch that is not finite leaves nothing', async ({ gpu }) => {
  const engine = await create(gpu);
  const bad = channelBatch(3, 20);
  (bad.activations[0] as Float32Array)[0] = Infinity;
  await engine.accumulate(bad);
  const thrown = await refusal(engine.flush());
  expect(thrown.details).toEqual({ batch: 0, quantity: 'activation', layer: 0, node: 3 });
  const { samples, pairs } = await engine.statistics();
  expect(samples).toBe(0);
  for (const pair of pairs)
    for (const sums of Object.values(pair) as Float64Array[]) expect(sums.every((v) => v === 0)).toBe(true);
  expect((await refusal(engine.score(request))).code).toBe('too-few-samples');
  await engine.release();
});

test('merged statistics are those of one engine over all samples, up to rounding', async ({ gpu }) => {
  const [left, right, whole, empty] = await Promise.all([create(gpu), create(gpu), create(gpu), create(gpu)]);
  await left.accumulate(channelBatch(1, 300));
  await right.accumulate(channelBatch(2, 77));
  for (const [seed, size] of [
    [1, 300],
    [2, 77],
    [3, 20],
  ] as const)
    await whole.accumulate(channelBatch(seed, size));
  await left.merge(await right.statistics());
  await left.accumulate(channelBatch(3, 20));
  await empty.merge(await left.statistics());
  expect(await left.flush()).toBe(397);
  const expected = (await whole.score(request)).aggregated;
  // Pivots differ, so the chunks of 32 products round differently: 1e-7 of a correlation.
  expect(largestDifference((await left.score(request)).aggregated, expected)).toBeLessThanOrEqual(5e-7);
  expect(largestDifference((await empty.score(request)).aggregated, expected)).toBeLessThanOrEqual(5e-7);
  const other = createCpuEngine({ ...shape, nodes: 4 });
  expect((await refusal(left.merge(await other.statistics()))).code).toBe('graph-mismatch');
  await Promise.all([left, right, whole, empty].map((engine) => engine.release()));
});

test('scores in the middle of a fit do not change it', async ({ gpu }) => {
  const engine = await create(gpu);
  const undisturbed = await create(gpu);
  for (const seed of [1, 2, 3]) {
    await engine.accumulate(channelBatch(seed, 512));
    await undisturbed.accumulate(channelBatch(seed, 512));
    await engine.score(request);
  }
  const found = (await engine.score(request)).aggregated;
  expect(largestDifference(found, (await undisturbed.score(request)).aggregated)).toBeLessThanOrEqual(5e-7);
  await engine.release();
  await undisturbed.release();
});

test('sizes that disagree are refused before anything is submitted', async ({ gpu }) => {
  const engine = await create(gpu);
  const good = channelBatch(1, 8);
  const short = { ...good, gradients: [good.gradients[0]!, new Float32Array(7)] };
  const missing = { ...good, activations: [good.activations[0]!] };
  const none = { ...good, size: 0 };
  const small = { ...good, activations: [good.activations[0]!, floats(gpu, [1, 2]).buffer] };
  const usage = bufferUsage.copySource;
  const unusable = gpu.device.createBuffer({ size: 4 * 8 * channels, usage });
  const withoutStorage = { ...good, activations: [good.activations[0]!, unusable] };
  for (const batch of [short, missing, none, small, withoutStorage]) {
    expect((await refusal(engine.accumulate(batch))).code).toBe('batch-mismatch');
  }
  await engine.accumulate(good);
  expect(await engine.flush()).toBe(8);
  const magnitudesOnly = await create(gpu, { channels: undefined, channelGroups: undefined });
  expect((await refusal(magnitudesOnly.accumulate(good))).code).toBe('invalid-argument');
  await engine.release();
  await magnitudesOnly.release();
});

test('an aborted score throws the reason and leaves the statistics', async ({ gpu }) => {
  const engine = await create(gpu);
  await engine.accumulate(channelBatch(1, 50));
  const before = await engine.statistics();
  const reason = new Error('enough');
  await expect(engine.score({ ...request, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expectSame(await engine.statistics(), before);
  await engine.release();
});

test('a score aborted between two submits stops there', async ({ gpu }) => {
  const engine = await create(gpu);
  await engine.accumulate(channelBatch(1, 50));
  const expected = (await engine.score(request)).aggregated;
  const controller = new AbortController();
  const reason = new Error('enough');
  const { queue } = gpu.device;
  const submit = queue.submit.bind(queue);
  let submits = 0;
  queue.submit = (buffers) => {
    submits++;
    if (submits === 2) controller.abort(reason);
    submit(buffers);
  };
  // Another ridge: all targets are scored anew.
  const another = { ...request, ridge: 2 * request.ridge, signal: controller.signal };
  await expect(engine.score(another)).rejects.toBe(reason);
  queue.submit = submit;
  // Two layer pairs take more than four.
  expect(submits).toBeLessThanOrEqual(4);
  expect(largestDifference((await engine.score(request)).aggregated, expected)).toBe(0);
  await engine.release();
});

test('release frees once, refuses later calls, and leaves the device to its owner', async ({ gpu }) => {
  const engine = await create(gpu);
  await engine.accumulate(channelBatch(1, 50));
  await engine.release();
  await engine.release();
  expect((await refusal(engine.flush())).code).toBe('released');
  expect(() => {
    engine.reset();
  }).toThrow(expect.objectContaining({ code: 'released' }));
  expect(gpu.lostReason).toBeUndefined();
  expect(engine.diagnostics.backend).toBe('webgpu');
});

test('a device that goes away in the middle of a fit ends it with device-lost', async () => {
  const context = await acquireDevice();
  const engine = await create(context);
  await engine.accumulate(channelBatch(1, 50));
  releaseDevice(context);
  await context.device.lost;
  for (const call of [
    () => engine.flush(),
    () => engine.accumulate(channelBatch(2, 50)),
    () => engine.statistics(),
  ]) {
    expect((await refusal(call())).code).toBe('device-lost');
  }
  await engine.release();
});
