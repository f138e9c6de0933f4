/**
 * `npm run bench`: all measurements, part by part. Without a part, all of them run at small sizes, one after the other,
 * and the page is written; with one, the remaining arguments are passed to it.
 *
 *     npm run bench                       # everything, about a quarter of an hour on two quiet cores
 *     npm run bench -- kernels            # WebGPU kernels, in Node (Dawn) and Chromium, against the adapter's peaks
 *     npm run bench -- products           # CPU accumulation against OpenBLAS, in Node and (--where chromium) in a page
 *     npm run bench -- job                # magnitudes to table against the straight port; fit against torch
 *     npm run bench -- growth             # time and memory over N, n, P and |S|
 *     npm run bench -- large              # 10,000 nodes on the CPU, minutes; only on request
 *     npm run bench -- stream             # 1e6 samples from Parquet, killed and resumed; only on request
 *     npm run bench -- large-file         # memory of reading a file of gigabytes; only on request
 *     npm run bench -- large-webgpu       # 10,000 nodes in a page, --backend webgpu or cpu; only on request
 *     npm run bench -- training           # forward and backward against torch, wasm and WebGPU
 *     npm run bench -- interactive        # another ridge, an edge added or removed, the first rows of the table
 *     npm run bench -- uncertainty        # standard errors and shuffles against the scores themselves
 *     npm run bench -- channels           # channel scores: 600 nodes of 5 channels, or a network's; --backend webgpu
 *     npm run bench -- activations        # slopes of activations against torch in float32, wasm and WebGPU
 *     npm run bench -- network            # frames of the explorer's network while it is moved, in Chromium
 *     npm run bench -- page-start         # address to the explorer's first table, over 10 Mbit/s and from cache
 *     npm run bench -- page-size          # bytes of the explorer by package
 *     npm run bench -- page               # bench/results/index.html from the JSON next to it
 *
 * Flags of Node reach the parts: `node --experimental-wasm-revectorize bench/run.mjs products`.
 * PYTHON names an interpreter with the packages of requirements.txt (for training also `pip install "./python[torch]"`;
 * for stream also pyarrow).
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const parts = {
  kernels: 'kernels/run.mjs',
  products: 'products/run.mjs',
  job: 'job/run.mjs',
  growth: 'growth/run.mjs',
  training: 'training-graph/run.mjs',
  interactive: 'interactive/run.mjs',
  uncertainty: 'uncertainty/run.mjs',
  channels: 'channels/run.mjs',
  activations: 'activations/run.mjs',
  network: 'network/run.mjs',
  'page-start': 'page-start/run.mjs',
  'page-size': 'page-size/run.mjs',
  page: 'page/run.mjs',
  large: 'large/run.mjs',
  'large-webgpu': 'large/webgpu.mjs',
  stream: 'stream/killed.mjs',
  'large-file': 'stream/large-file.mjs',
};
const onlyWhenAsked = new Set(['large', 'large-webgpu', 'stream', 'large-file']);

/** Relaxed SIMD for fused products (without a flag from Node 22 on), and the flags that Node was started with. */
const nodeFlags = [
  ...(Number(process.versions.node.split('.')[0]) < 22 ? ['--experimental-wasm-relaxed-simd'] : []),
  ...process.execArgv,
];

/** @param {keyof typeof parts} part @param {readonly string[]} rest */
function run(part, rest) {
  console.log(`\n# ${part}\n`);
  const script = fileURLToPath(new URL(parts[part], import.meta.url));
  const { status } = spawnSync(process.execPath, [...nodeFlags, script, ...rest], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const [first, ...rest] = process.argv.slice(2);
const names = /** @type {(keyof typeof parts)[]} */ (Object.keys(parts));
const chosen = names.find((name) => name === first);
if (chosen) run(chosen, rest);
else if (first === undefined)
  for (const name of names.filter((name) => !onlyWhenAsked.has(name))) run(name, []);
else {
  console.error(`There is no part '${first}'; the parts are ${names.join(', ')}.`);
  process.exit(2);
}
