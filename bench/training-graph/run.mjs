/**
 * `node bench/training-graph/run.mjs [NODES ...]`: forward + backward of the same GSNN, torch against the training graph
 * in onnxruntime-web (wasm, Node), batch 128, two threads each, medians side by side. PYTHON names an interpreter that
 * has torch and the exporter (`pip install ./export`).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { strFromU8, unzipSync } from 'fflate';
import * as ort from 'onnxruntime-web';
import { buildTrainingGraph, decodeModel } from 'magnitude-edge/training-graph';

const RUNS = 15;
/** Engines compile hot code while it runs: both sides warm up this long before they are timed. */
const WARM_UP_SECONDS = 4;
const THREADS = 2;
const python = process.env.PYTHON ?? 'python3';
const here = new URL('./', import.meta.url);
const out = new URL('../out/training-graph/', here);
const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [24, 250, 1000, 4000];

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** @type {(path: string) => Record<string, { dims: number[], data: Float32Array }>} the float32 arrays of an npz file */
const readNpz = (path) => {
  return Object.fromEntries(
    Object.entries(unzipSync(new Uint8Array(readFileSync(path)))).map(([name, file]) => {
      const length = new DataView(file.buffer, file.byteOffset).getUint16(8, true);
      const header = strFromU8(file.subarray(10, 10 + length));
      const dims = (header.match(/'shape': \(([^)]*)\)/)?.[1] ?? '')
        .split(',')
        .filter((text) => text.trim())
        .map(Number);
      return [name.replace(/\.npy$/, ''), { dims, data: new Float32Array(file.slice(10 + length).buffer) }];
    }),
  );
};

/** @param {number} nodes */
async function ours(nodes) {
  const bytes = new Uint8Array(readFileSync(new URL(`${nodes}.onnx`, out)));
  const golden = readNpz(fileURLToPath(new URL(`${nodes}.npz`, out)));
  const { x, y } = golden;
  if (!x || !y) throw new Error(`${nodes}.npz has no x and y`);
  const { metadata } = decodeModel(bytes);
  const profile = JSON.parse(metadata.get('gsnn') ?? '{}');
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
  const build = performance.now() - startBuild;
  const startSession = performance.now();
  const session = await ort.InferenceSession.create(graph.bytes, { executionProviders: ['wasm'] });
  const load = performance.now() - startSession;
  const feeds = {
    [profile.input]: new ort.Tensor('float32', x.data, x.dims),
    [graph.target]: new ort.Tensor('float32', y.data, y.dims),
  };
  const first = await session.run(feeds);
  const warm = performance.now() + WARM_UP_SECONDS * 1000;
  while (performance.now() < warm) await session.run(feeds);
  const seconds = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    await session.run(feeds);
    seconds.push((performance.now() - start) / 1000);
  }
  let error = 0;
  wrt.forEach((value, index) => {
    const expected = golden[`grad_pre_${index + 1}`]?.data ?? new Float32Array();
    const found = /** @type {Float32Array} */ (first[graph.gradients[value] ?? '']?.data);
    let scale = 0;
    let worst = 0;
    expected.forEach((wanted, i) => {
      scale = Math.max(scale, Math.abs(wanted));
      worst = Math.max(worst, Math.abs(wanted - (found[i] ?? NaN)));
    });
    error = Math.max(error, worst / scale);
  });
  await session.release();
  return {
    seconds: median(seconds),
    build: build / 1000,
    load: load / 1000,
    error,
    modelBytes: graph.bytes.length,
  };
}

ort.env.wasm.numThreads = THREADS;
mkdirSync(out, { recursive: true });
const rows = [];
for (const nodes of sizes) {
  const script = fileURLToPath(new URL('torch_side.py', here));
  const output = execFileSync(python, ['-W', 'ignore', script, String(nodes), fileURLToPath(out)], {
    encoding: 'utf8',
  });
  const torch = JSON.parse(output.trim().split('\n').at(-1) ?? '{}');
  const mine = await ours(nodes);
  rows.push({
    nodes,
    edges: torch.edges,
    'torch s': torch.seconds.toFixed(4),
    'ours s': mine.seconds.toFixed(4),
    ratio: (torch.seconds / mine.seconds).toFixed(1),
    'build s': mine.build.toFixed(2),
    'session s': mine.load.toFixed(2),
    'graph MB': (mine.modelBytes / 1e6).toFixed(1),
    'torch peak MB': (torch.peakBytes / 1e6).toFixed(0),
    'our peak MB': (process.resourceUsage().maxRSS / 1e3).toFixed(0),
    'max rel error': mine.error.toExponential(1),
  });
}
console.table(rows);
