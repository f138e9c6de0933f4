import { expect } from 'vitest';
import { borrow, BufferPool, createStorage } from '../../src/gpu/buffer.ts';
import {
  acquireDevice,
  adoptDevice,
  assertAlive,
  isSoftwareAdapter,
  releaseDevice,
} from '../../src/gpu/device.ts';
import { scoped } from '../../src/gpu/error-scope.ts';
import { compileKernel, type KernelDefinition } from '../../src/gpu/kernel.ts';
import { requiredLimits, wantedLimits } from '../../src/gpu/limits.ts';
import { readBack } from '../../src/gpu/readback.ts';
import { Recorder, workgroups } from '../../src/gpu/recorder.ts';
import dispatch from '../../shaders/shared/dispatch.wgsl?raw';
import { floats, readFloats } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';
import { refusal } from '../support/refusal.ts';

function definition(body: string): KernelDefinition<'count', 'values'> {
  return {
    label: 'test.wgsl',
    sources: [
      dispatch,
      `struct Params { count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${body}
}`,
    ],
    params: { count: 'u32' },
    buffers: { values: 'read-write' },
  };
}

const addOne = definition(`let index = workgroup_index(group, groups);
  if (index < params.count) { values[index] += 1.0; }`);

test('an adopted device stays its owner’s, an acquired one is destroyed', async () => {
  const owned = await acquireDevice();
  const borrowed = adoptDevice(owned.device);
  releaseDevice(borrowed);
  await borrowed.device.queue.onSubmittedWorkDone();
  assertAlive(borrowed);
  releaseDevice(owned);
  releaseDevice(owned);
  await owned.device.lost;
  await Promise.resolve();
  expect(() => {
    assertAlive(borrowed);
  }).toThrow(expect.objectContaining({ code: 'device-lost' }));
});

test('work on a lost device says that it was lost', async () => {
  const context = await acquireDevice();
  const buffer = floats(context, [1, 2, 3, 4]);
  const reading = readBack(context, [buffer]);
  releaseDevice(context);
  expect((await refusal(reading)).code).toBe('device-lost');
  expect((await refusal(compileKernel(context, addOne))).code).toBe('device-lost');
});

test('WebGPU without an adapter is refused', async () => {
  const without = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
  const missing = await refusal(acquireDevice({ gpu: without }));
  expect(missing.code).toBe('no-adapter');
});

test.for([
  ['google', 'swiftshader', '', 'SwiftShader Device', true],
  ['mesa', '', '', 'llvmpipe (LLVM 17.0.6, 256 bits)', true],
  ['microsoft', '', '', 'Microsoft Basic Render Driver', true],
  ['nvidia', 'ampere', '', 'NVIDIA GeForce RTX 3080', false],
  ['apple', 'metal-3', '', '', false],
  ['intel', 'gen-12lp', '', 'Intel(R) Iris(R) Xe Graphics', false],
] as const)('adapter %s %s: software is %s', ([vendor, architecture, device, description, software]) => {
  const info = { vendor, architecture, device, description, isFallbackAdapter: false } as GPUAdapterInfo;
  expect(isSoftwareAdapter(info)).toBe(software);
  const fallback = { vendor, architecture, device, description, isFallbackAdapter: true } as GPUAdapterInfo;
  expect(isSoftwareAdapter(fallback)).toBe(true);
});

test('every wanted limit has its reason and is cut to the adapter’s', ({ gpu }) => {
  const limits = requiredLimits(gpu.device.limits);
  for (const { name, atMost, reason } of wantedLimits) {
    expect(reason).not.toBe('');
    expect(limits[name]).toBeLessThanOrEqual(Math.min(atMost, gpu.device.limits[name]));
  }
});

test('more workgroups than one dimension takes', async ({ gpu }) => {
  const count = 65_535 * 2 + 17;
  const values = createStorage(gpu, 'values', 4 * count);
  const kernel = await compileKernel(gpu, addOne);
  await new Recorder(gpu)
    .dispatch(kernel, { count }, { values }, workgroups(count))
    .dispatch(kernel, { count: 1 }, { values }, workgroups(1))
    .submit('a test');
  const found = await readFloats(gpu, values, count);
  expect(found[0]).toBe(2);
  expect(found.subarray(1).every((value) => value === 1)).toBe(true);
});

test('a shader that does not compile is shown with its line', async ({ gpu }) => {
  const faulty = definition('values[0] = no_such_thing;');
  const thrown = await refusal(compileKernel(gpu, faulty));
  expect(thrown.code).toBe('gpu-validation');
  expect(thrown.message).toContain('values[0] = no_such_thing;');
  expect(thrown.details).toMatchObject({ shader: 'test.wgsl', column: 15 });
});

test('callers at the same time share one compilation, other constants make another', async ({ gpu }) => {
  const tuned = {
    ...addOne,
    sources: ['override STEP: u32;', ...addOne.sources.map((source) => source.replace('1.0', 'f32(STEP)'))],
  };
  const [first, second] = await Promise.all([
    compileKernel(gpu, tuned, { STEP: 1 }),
    compileKernel(gpu, tuned, { STEP: 1 }),
  ]);
  expect(first).toBe(second);
  expect(await compileKernel(gpu, tuned, { STEP: 2 })).not.toBe(first);
});

test('what the GPU refuses rejects where it was done, and nowhere else', async ({ gpu }) => {
  const wrong = scoped(gpu, 'a wrong copy', () => {
    const encoder = gpu.device.createCommandEncoder();
    const { buffer } = floats(gpu, [1, 2, 3, 4]);
    encoder.copyBufferToBuffer(buffer, 0, buffer, 1, 4);
    gpu.device.queue.submit([encoder.finish()]);
  });
  const right = scoped(gpu, 'nothing', () => undefined);
  const thrown = await refusal(wrong.settled);
  expect(thrown.code).toBe('gpu-validation');
  expect(thrown.message).toContain('a wrong copy');
  await right.settled;
});

test('a buffer larger than the device binds is refused with both sizes', ({ gpu }) => {
  const limit = Math.min(gpu.device.limits.maxStorageBufferBindingSize, gpu.device.limits.maxBufferSize);
  expect(() => createStorage(gpu, 'too much', limit + 1)).toThrow(
    expect.objectContaining({ code: 'out-of-memory' }),
  );
});

test('a readback of several ranges keeps them apart', async ({ gpu }) => {
  const { buffer } = floats(gpu, [0, 1, 2, 3, 4, 5, 6, 7]);
  const ranges = [borrow(buffer, 4, 8), borrow(buffer, 0, 0), borrow(buffer, 16)];
  const found = await readBack(gpu, ranges);
  expect(found.map((bytes) => [...new Float32Array(bytes)])).toEqual([[1, 2], [], [4, 5, 6, 7]]);
});

test('a pool frees what it was given, once', ({ gpu }) => {
  const pool = new BufferPool();
  let freed = 0;
  const storage = createStorage(gpu, 'kept', 16);
  pool.keep({
    ...storage,
    destroy: () => {
      freed++;
      storage.destroy();
    },
  });
  pool.destroy();
  pool.destroy();
  expect(freed).toBe(1);
});
