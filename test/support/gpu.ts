/** One device per test file; buffers that a test makes are tracked and destroyed after it, and GPU errors fail it. */
import { expect, test as base } from 'vitest';
import { acquireDevice, type GpuContext } from '../../src/gpu/device.ts';

let shared: Promise<GpuContext> | undefined;

/** `test` with a `gpu` context. Fails without an adapter. */
export const test = base.extend<{ gpu: GpuContext }>({
  // eslint-disable-next-line no-empty-pattern -- vitest reads the names of the fixtures a fixture needs from here
  gpu: async ({}, use) => {
    shared ??= acquireDevice();
    const context = await shared;
    const { device } = context;
    const errors: string[] = [];
    const onError = (event: GPUUncapturedErrorEvent): void => {
      event.preventDefault();
      errors.push(event.error.message);
    };
    device.addEventListener('uncapturederror', onError);
    const made: GPUBuffer[] = [];
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer(descriptor);
      made.push(buffer);
      return buffer;
    };
    await use(context);
    await device.queue.onSubmittedWorkDone();
    device.removeEventListener('uncapturederror', onError);
    device.createBuffer = createBuffer;
    for (const buffer of made) buffer.destroy();
    expect(errors).toEqual([]);
    expect(context.lostReason).toBeUndefined();
  },
});
