/** The kernels in Node, through Dawn (package webgpu). Prints one JSON object. `node node.mjs SETTING` */
import { create, globals } from 'webgpu';
import * as statistics from 'magnitude-edge/statistics';
import { measureKernels } from './measure.mjs';

Object.assign(globalThis, globals);
const gpu = create([]);
const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
if (!adapter) throw new Error('Dawn finds no adapter here (VK_ICD_FILENAMES names a Vulkan driver).');
const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
const device = await adapter.requestDevice({
  requiredFeatures: adapter.features.has('timestamp-query') ? ['timestamp-query'] : [],
  requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
});
const result = await measureKernels(device, statistics, JSON.parse(process.argv[2] ?? '{}'));
console.log(JSON.stringify({ ...result, peakMiB: process.resourceUsage().maxRSS / 1024 }));
device.destroy();
process.exit(0);
