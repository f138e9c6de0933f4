/** Builds and times one training graph in Node, in a separate process: `node session.mjs FOLDER NODES` prints JSON. */
import { readFileSync, writeFileSync } from 'node:fs';
import { strFromU8, unzipSync } from 'fflate';
import * as ort from 'onnxruntime-web';
import { buildTrainingGraph, decodeModel } from 'magnitude-edge/training-graph';
import { median } from '../shared/median.mjs';

const RUNS = 15;
/** Engines compile hot code during the run: both sides warm up this long before they are timed. */
const WARM_UP_SECONDS = 4;

/** The float32 arrays of an npz file. @param {string} path */
function readNpz(path) {
  /** @type {Record<string, { dims: number[], data: Float32Array }>} */
  const arrays = {};
  for (const [name, file] of Object.entries(unzipSync(new Uint8Array(readFileSync(path))))) {
    const length = new DataView(file.buffer, file.byteOffset).getUint16(8, true);
    const header = strFromU8(file.subarray(10, 10 + length));
    const dims = (header.match(/'shape': \(([^)]*)\)/)?.[1] ?? '').split(',').filter((text) => text.trim());
    arrays[name.replace(/\.npy$/, '')] = {
      dims: dims.map(Number),
      data: new Float32Array(file.slice(10 + length).buffer),
    };
  }
  return arrays;
}

const [folder, nodes] = process.argv.slice(2);
const bytes = new Uint8Array(readFileSync(`${folder}/${nodes}.onnx`));
const golden = readNpz(`${folder}/${nodes}.npz`);
const { x, y } = golden;
if (!x || !y) throw new Error(`${nodes}.npz has no x and y`);
const profile = JSON.parse(decodeModel(bytes).metadata.get('gsnn') ?? '{}');
/** @type {string[]} */
const wrt = profile.preNorm.slice(1);
const startBuild = performance.now();
const graph = buildTrainingGraph(bytes, {
  prediction: profile.output,
  loss: 'mse',
  wrt,
  outputs: profile.preNorm.slice(0, -1),
  stopGradient: profile.stopGradient,
});
const build = (performance.now() - startBuild) / 1000;
writeFileSync(`${folder}/${nodes}.training.onnx`, graph.bytes);

ort.env.wasm.numThreads = Number(process.env['OMP_NUM_THREADS'] ?? 2);
const startSession = performance.now();
const session = await ort.InferenceSession.create(graph.bytes, { executionProviders: ['wasm'] });
const load = (performance.now() - startSession) / 1000;
const feeds = {
  [profile.input]: new ort.Tensor('float32', x.data, x.dims),
  [graph.target]: new ort.Tensor('float32', y.data, y.dims),
};
/** One run in seconds. */
const timed = async () => {
  const start = performance.now();
  await session.run(feeds);
  return (performance.now() - start) / 1000;
};
const first = await session.run(feeds);
/** The times of a short fit: sixteen batches before anything is warm. */
const cold = [];
for (let run = 0; run < 16; run++) cold.push(await timed());
const warm = performance.now() + WARM_UP_SECONDS * 1000;
while (performance.now() < warm) await session.run(feeds);
const taken = [];
for (let run = 0; run < RUNS; run++) taken.push(await timed());

let error = 0;
wrt.forEach((value, index) => {
  const expected = golden[`grad_pre_${index + 1}`]?.data ?? new Float32Array();
  const found = /** @type {Float32Array} */ (first[graph.gradients[value] ?? '']?.data);
  let [scale, worst] = [0, 0];
  expected.forEach((wanted, i) => {
    scale = Math.max(scale, Math.abs(wanted));
    worst = Math.max(worst, Math.abs(wanted - (found[i] ?? NaN)));
  });
  error = Math.max(error, worst / scale);
});
await session.release();
console.log(
  JSON.stringify({
    seconds: median(taken),
    cold: median(cold),
    build,
    load,
    error,
    graphBytes: graph.bytes.length,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    inputs: { [profile.input]: x.dims, [graph.target]: y.dims },
  }),
);
process.exit(0);
