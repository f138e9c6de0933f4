/* global fetch, WebAssembly */
/** The same training graph in headless Chromium: one run after another, with the wasm provider and with WebGPU. */
import { withPage } from '../shared/chromium-page.mjs';

/** @typedef {{ seconds: number, onGpuAlone: boolean }} Timed median of the runs; whether all nodes ran on the GPU */

/**
 * @param {string} graph path of the training graph, from the repository's root
 * @param {Readonly<Record<string, readonly number[]>>} inputs names and sizes; values are random
 * @returns {Promise<{ adapter: string, wasm: Timed, webgpu: Timed }>}
 */
export function measureInChromium(graph, inputs) {
  return withPage((page) =>
    page.evaluate(
      async ({ graph, inputs }) => {
        const load = (/** @type {string} */ build) =>
          import(`/node_modules/onnxruntime-web/dist/ort.${build}.bundle.min.mjs`);
        const bytes = new Uint8Array(await (await fetch(graph)).arrayBuffer());
        const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
        if (!adapter) throw new Error('Chromium has no WebGPU adapter here.');
        const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
        const device = await adapter.requestDevice({
          requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
        });

        const measure = async (/** @type {'wasm' | 'webgpu'} */ provider) => {
          const ort = await load(
            provider === 'wasm' ? 'wasm' : 'Suspending' in WebAssembly ? 'jspi' : 'webgpu',
          );
          ort.env.wasm.numThreads = 2;
          const create = (/** @type {object} */ settings) =>
            ort.InferenceSession.create(bytes, {
              executionProviders: [provider === 'wasm' ? 'wasm' : { name: 'webgpu', device }],
              logSeverityLevel: 4,
              ...settings,
            });
          const strict = { extra: { session: { disable_cpu_ep_fallback: '1' } } };
          const alone = provider === 'webgpu' ? await create(strict).catch(() => undefined) : undefined;
          const session = alone ?? (await create({}));
          const feeds = Object.fromEntries(
            Object.entries(inputs).map(([name, dims]) => {
              const length = dims.reduce((size, dim) => size * dim, 1);
              return [name, new ort.Tensor('float32', Float32Array.from({ length }, Math.random), dims)];
            }),
          );
          /** @type {number[]} */
          const taken = [];
          const start = performance.now();
          // Two runs to warm up, then for six seconds or fifteen runs; the outputs come back to the host.
          for (let run = -2; run < 15 && (run < 1 || performance.now() - start < 6000); run++) {
            const before = performance.now();
            await session.run(feeds);
            if (run >= 0) taken.push((performance.now() - before) / 1000);
          }
          await session.release();
          taken.sort((a, b) => a - b);
          return { seconds: taken[taken.length >> 1] ?? NaN, onGpuAlone: alone !== undefined };
        };
        const { vendor, architecture, description } = adapter.info;
        return {
          adapter: [vendor, architecture, description].filter(Boolean).join(' '),
          wasm: await measure('wasm'),
          webgpu: await measure('webgpu'),
        };
      },
      { graph, inputs },
    ),
  );
}
