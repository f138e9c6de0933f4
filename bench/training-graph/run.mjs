/**
 * Forward and backward of the same GSNN, batch 128: torch's message-passing form compared with the training graph in
 * onnxruntime-web, in Node (wasm) and, for small sizes, in Chromium (wasm and WebGPU). Two threads each, medians side
 * by side, each in a separate process. PYTHON names an interpreter that has torch and the exporter
 * (`pip install "./python[torch]"`).
 *
 *     npm run bench -- training                          # 24, 250, 1000 and 4000 nodes
 *     npm run bench -- training --nodes 24,60,250 --browser-nodes 60
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readOptions } from '../shared/options.mjs';
import { numbers, printTable, seconds, writeResult } from '../shared/report.mjs';
import { python } from '../shared/python.mjs';
import { measureInChromium } from './browser.mjs';

const options = readOptions({
  nodes: '24,250,1000,4000',
  /** The largest size that runs in a browser: beyond it, a software adapter takes seconds per batch */
  'browser-nodes': 24,
});
const path = (/** @type {string} */ relative) => fileURLToPath(new URL(relative, import.meta.url));
const folder = path('../out/training-graph');
mkdirSync(folder, { recursive: true });

/** The last line that a program prints, which is JSON. @param {string} program @param {readonly string[]} argv */
function run(program, argv) {
  const env = { ...process.env, OMP_NUM_THREADS: '2' };
  const out = execFileSync(program, argv, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '{}');
}

const points = [];
for (const nodes of numbers(options.nodes)) {
  const torch = run(python(), ['-W', 'ignore', path('./torch_side.py'), String(nodes), folder]);
  const ours = run(process.execPath, [path('./session.mjs'), folder, String(nodes)]);
  const browser =
    nodes <= options['browser-nodes']
      ? await measureInChromium(`/bench/out/training-graph/${nodes}.training.onnx`, ours.inputs)
      : undefined;
  points.push({ nodes, edges: torch.edges, torch, ours, browser });
}

writeResult('training-graph', { setup: { batch: 128, threads: 2 }, points });
printTable(
  [
    'function nodes',
    'edges',
    'torch',
    'ours',
    'ratio',
    'first 16, torch',
    'ours',
    'build',
    'peak memory, torch',
    'ours',
    'largest error',
    'Chromium, wasm',
    'Chromium, WebGPU',
  ],
  points.map(({ nodes, edges, torch, ours, browser }) => [
    nodes,
    edges,
    seconds(torch.seconds),
    seconds(ours.seconds),
    `${(torch.seconds / ours.seconds).toFixed(1)} x`,
    seconds(torch.cold),
    seconds(ours.cold),
    seconds(ours.build),
    `${(torch.peakBytes / 2 ** 20).toFixed(0)} MiB`,
    `${ours.peakMiB.toFixed(0)} MiB`,
    ours.error.toExponential(1),
    browser ? seconds(browser.wasm.seconds) : '',
    browser
      ? `${seconds(browser.webgpu.seconds)}${browser.webgpu.onGpuAlone ? '' : ' (partly on the CPU)'}`
      : '',
  ]),
);
const adapter = points.find(({ browser }) => browser)?.browser?.adapter;
if (adapter) console.log(`\nWebGPU in Chromium: ${adapter}`);
