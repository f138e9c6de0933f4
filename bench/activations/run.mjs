/* global fetch, WebAssembly */
/**
 * Accuracy of activation slopes: torch in float32 and training graphs, in wasm (Node) and on WebGPU (Chromium),
 * compared with float64 on the grid of test/fixtures/activations. Prints the table of docs/activation-accuracy.md.
 *
 *     npm run bench -- activations
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { strFromU8, unzipSync } from 'fflate';
import * as ort from 'onnxruntime-web';
import { buildTrainingGraph } from 'magnitude-edge/training-graph';
import { askedOf, slopeErrors } from '../../test/support/activation-slopes.mjs';
import { withPage } from '../shared/chromium-page.mjs';
import { printTable, writeResult } from '../shared/report.mjs';

const fixtures = new URL('../../test/fixtures/activations/', import.meta.url);
const folder = new URL('../out/activations/', import.meta.url);
mkdirSync(folder, { recursive: true });

/** The arrays of slopes.npz. @type {Record<string, Float32Array | Float64Array>} */
const slopes = {};
for (const [name, file] of Object.entries(unzipSync(readFileSync(new URL('slopes.npz', fixtures))))) {
  const length = new DataView(file.buffer, file.byteOffset).getUint16(8, true);
  const { buffer } = file.slice(10 + length);
  const isDouble = strFromU8(file.subarray(10, 10 + length)).includes('<f8');
  slopes[name.replace(/\.npy$/, '')] = isDouble ? new Float64Array(buffer) : new Float32Array(buffer);
}
/** @param {string} name */
const array = (name) => slopes[name] ?? new Float32Array();
const grid = array('x');

ort.env.wasm.numThreads = 1;
/** @type {{ name: string, inputs: readonly string[], gradient: string, wasm: Float32Array }[]} */
const cases = [];
for (const file of readdirSync(fixtures).filter((name) => name.endsWith('.onnx'))) {
  const name = file.slice(0, -5);
  const asked = askedOf(name);
  const graph = buildTrainingGraph(new Uint8Array(readFileSync(new URL(file, fixtures))), {
    // Targets of 1 make each element's gradient its slope.
    loss: (builder, prediction, target) => builder.reduceSum(builder.mul(prediction, target)),
    wrt: [asked],
  });
  writeFileSync(new URL(file, folder), graph.bytes);
  const gradient = graph.gradients[asked] ?? '';
  const session = await ort.InferenceSession.create(graph.bytes, { executionProviders: ['wasm'] });
  const feeds = Object.fromEntries(
    graph.inputs.map((input) => [
      input,
      new ort.Tensor(
        'float32',
        input === 'x' ? Float32Array.from(grid) : new Float32Array(grid.length).fill(1),
      ),
    ]),
  );
  const wasm = /** @type {Float32Array} */ ((await session.run(feeds))[gradient]?.data);
  await session.release();
  cases.push({ name, inputs: graph.inputs, gradient, wasm });
}

const onGpu = await withPage((page) =>
  page.evaluate(
    async ({ cases, grid }) => {
      const build = 'Suspending' in WebAssembly ? 'jspi' : 'webgpu';
      const ort = await import(`/node_modules/onnxruntime-web/dist/ort.${build}.bundle.min.mjs`);
      const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
      if (!adapter) throw new Error('Chromium has no WebGPU adapter here.');
      const device = await adapter.requestDevice();
      /** @type {Record<string, number[]>} */
      const found = {};
      for (const { name, inputs, gradient } of cases) {
        const bytes = new Uint8Array(
          await (await fetch(`/bench/out/activations/${name}.onnx`)).arrayBuffer(),
        );
        const session = await ort.InferenceSession.create(bytes, {
          executionProviders: [{ name: 'webgpu', device }],
          logSeverityLevel: 4,
        });
        const feeds = Object.fromEntries(
          inputs.map((input) => [
            input,
            new ort.Tensor(
              'float32',
              Float32Array.from(grid, (x) => (input === 'x' ? x : 1)),
            ),
          ]),
        );
        found[name] = Array.from((await session.run(feeds))[gradient].data);
        await session.release();
      }
      const { vendor, architecture, description } = adapter.info;
      return { found, adapter: [vendor, architecture, description].filter(Boolean).join(' ') };
    },
    {
      cases: cases.map(({ name, inputs, gradient }) => ({ name, inputs, gradient })),
      grid: Array.from(grid),
    },
  ),
);

const points = cases.map(({ name, wasm }) => {
  const compare = (/** @type {ArrayLike<number>} */ found) =>
    slopeErrors(grid, found, array(name), array(`${name}.torch`));
  return { name, wasm: compare(wasm), webgpu: compare(onGpu.found[name] ?? []) };
});
writeResult('activations', { adapter: onGpu.adapter, points });
const show = (/** @type {number} */ error) => error.toExponential(1);
printTable(
  ['case', 'points', 'torch', 'wasm', 'WebGPU', 'all: torch', 'all: wasm', 'all: WebGPU'],
  points.map(({ name, wasm, webgpu }) => [
    name,
    wasm.points,
    show(wasm.torch),
    show(wasm.ours),
    show(webgpu.ours),
    show(wasm.torchAnywhere),
    show(wasm.oursAnywhere),
    show(webgpu.oursAnywhere),
  ]),
);
console.log(`\nWebGPU in Chromium: ${onGpu.adapter}`);
