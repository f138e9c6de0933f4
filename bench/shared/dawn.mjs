/** WebGPU in Node, through Dawn (package webgpu). */
import { existsSync } from 'node:fs';

/** Where Debian's chromium package has a software Vulkan driver, and the loader that finds it. */
const chromiumFolder = '/usr/lib/chromium';

/**
 * Environment of a process that uses Dawn, which must be set before it starts: without a GPU, and unless another driver
 * is named, the software driver that comes with Chromium.
 * @returns {Record<string, string>}
 */
export function vulkanEnvironment() {
  const driver = `${chromiumFolder}/vk_swiftshader_icd.json`;
  const software = !process.env['VK_ICD_FILENAMES'] && !existsSync('/dev/dri') && existsSync(driver);
  return software ? { VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: chromiumFolder } : {};
}

/** Never released: Dawn's devices end with it. @type {GPU | undefined} */
let gpu;

/** A device with the adapter's largest buffer bindings, and timestamps if the adapter has them. */
export async function dawnDevice() {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('Dawn finds no adapter here (VK_ICD_FILENAMES names a Vulkan driver).');
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  return adapter.requestDevice({
    requiredFeatures: adapter.features.has('timestamp-query') ? ['timestamp-query'] : [],
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
}
