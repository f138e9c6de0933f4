/** The kernels in headless Chromium. */
import { withPage } from '../shared/chromium-page.mjs';

/**
 * @param {import('./measure.mjs').Setting} setting
 * @returns {ReturnType<typeof import('./measure.mjs').measureKernels>}
 */
export function measureInChromium(setting) {
  return withPage((page) =>
    page.evaluate(async (given) => {
      const load = (/** @type {string} */ path) => import(path);
      const { measureKernels } = await load('/bench/kernels/measure.mjs');
      const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
      if (!adapter) throw new Error('Chromium has no WebGPU adapter here.');
      const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
      const device = await adapter.requestDevice({
        requiredFeatures: adapter.features.has('timestamp-query') ? ['timestamp-query'] : [],
        requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
      });
      return await measureKernels(device, await load('/dist/statistics.js'), given);
    }, setting),
  );
}
