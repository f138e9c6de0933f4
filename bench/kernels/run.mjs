/**
 * The WebGPU engine's kernels in Node (Dawn) and in Chromium, compared with the peak rates of the adapter, a plain
 * shared-tile kernel, and BLAS (numpy's and, with an NVIDIA GPU, torch's cuBLAS), all in the same run. Needs
 * `npm run build`.
 *
 *     npm run bench -- kernels                                  # N = 256, 512 and 1024, both places
 *     npm run bench -- kernels --nodes 4096 --samples 1024      # sizes for a real GPU
 *     npm run bench -- kernels --where chromium --precisions fast
 *     npm run bench -- kernels --where chromium --nodes 128 --set-sizes 8,64,512,1024 --set-nodes 1100 # over |S|
 *
 * In Node on Debian without a GPU, the software Vulkan driver that comes with Chromium is used.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vulkanEnvironment } from '../shared/dawn.mjs';
import { readOptions } from '../shared/options.mjs';
import { python } from '../shared/python.mjs';
import { machine, numbers, printTable, seconds, writeResult } from '../shared/report.mjs';
import { measureInChromium } from './chromium.mjs';

const options = readOptions({
  nodes: '256,512,1024',
  samples: 512,
  pairs: 1,
  parents: 8,
  precisions: 'fast,exact',
  /** Sizes of conditioning sets over which growth is measured, and the number of nodes */
  'set-sizes': '8,16,24,64,256,512',
  'set-nodes': 600,
  repeats: 3,
  where: 'node,chromium',
});
/** @type {import('./measure.mjs').Setting} */
const setting = {
  nodes: numbers(options.nodes),
  samples: options.samples,
  pairs: options.pairs,
  parents: options.parents,
  precisions: /** @type {('fast' | 'exact')[]} */ (options.precisions.split(',').filter(Boolean)),
  sets: {
    nodes: options['set-nodes'],
    sizes: numbers(options['set-sizes']),
    repeats: options.repeats,
  },
};

/** In a separate process: Dawn ends with it. */
function measureInNode() {
  const env = { ...process.env, ...vulkanEnvironment() };
  const script = fileURLToPath(new URL('./node.mjs', import.meta.url));
  const out = execFileSync(process.execPath, [script, JSON.stringify(setting)], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '');
}

/** @returns {{ gpu: string | null, rows: { nodes: number, numpy: Record<string, number>, cuda: Record<string, number> }[] }} */
function measureBlas() {
  const script = fileURLToPath(new URL('./blas.py', import.meta.url));
  const out = execFileSync(python(), [script, String(options.samples), options.nodes], { encoding: 'utf8' });
  return JSON.parse(out);
}

const { cpu, cores, load } = machine();
console.log(`${cpu}, ${cores} cores, load ${load} when started`);
/** @type {(Awaited<ReturnType<typeof import('./measure.mjs').measureKernels>> & { where: string })[]} */
const places = [];
for (const where of options.where.split(',')) {
  const result = where === 'node' ? measureInNode() : await measureInChromium(setting);
  places.push({ where, ...result });
}
const blas = measureBlas();
writeResult('kernels', { setup: setting, places, blas });

const rate = (/** @type {number | undefined} */ value) => (value ? value.toPrecision(3) : '');
const times = (/** @type {number | undefined} */ ours, /** @type {number} */ theirs) =>
  ours ? `${(ours / theirs).toFixed(1)} x` : '';
for (const { where, adapter, timestamps, peaks, points, sets } of places) {
  const { gflops, gigabytes, sharedTile } = peaks;
  console.log(
    `\n## ${where}: ${adapter}${timestamps ? '' : ', no timestamp-query: GPU times are missing'}\n`,
  );
  console.log(
    `Multiply-adds ${rate(gflops)} GFLOP/s, copy ${rate(gigabytes)} GB/s, ` +
      `shared tiles 16 x 16 ${rate(sharedTile.gflops)} GFLOP/s, with the arithmetic of exact ` +
      `${rate(sharedTile.exactGflops)} GFLOP/s (N = ${sharedTile.nodes}, n = ${sharedTile.samples})\n`,
  );
  printTable(
    [
      'N',
      'precision',
      'products, GFLOP/s',
      'of peak',
      'beside shared tiles',
      'of the same arithmetic',
      'with centring',
      'corr, GB/s',
      'partial, GFLOP/s',
      'accumulate, wall',
      'first partial',
      'partial',
      'corr',
      'buffers, at most',
    ],
    points.map(({ nodes, precision, rates, steps, peakBytes }) => [
      nodes,
      precision,
      rate(rates.productGflops),
      rates.productGflops ? `${((100 * rates.productGflops) / gflops).toFixed(0)}%` : '',
      times(rates.productGflops, sharedTile.gflops),
      times(rates.productGflops, precision === 'exact' ? sharedTile.exactGflops : sharedTile.gflops),
      rate(rates.accumulateGflops),
      rate(rates.pearsonGigabytes),
      rate(rates.partialGflops),
      ...steps.map(({ wall }) => seconds(wall)),
      `${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
    ]),
  );
  console.log(`\nPartial scores of one target among ${sets.nodes}, median of ${sets.repeats}\n`);
  printTable(
    ['members', 'targets together', 'factor, GPU', 'substitution, GPU', 'wall', 'multiply-adds, G/s'],
    sets.points.map(({ size, targets, steps, factors, substitution, wall }) => [
      size,
      targets,
      timestamps ? seconds(factors) : '',
      timestamps ? seconds(substitution) : '',
      seconds(wall),
      timestamps ? rate(steps / (factors + substitution) / 1e9) : '',
    ]),
  );
}

console.log(`\n## X^T Y by BLAS, GFLOP/s${blas.gpu ? `: ${blas.gpu}` : ''}\n`);
printTable(
  ['N', 'numpy float32', 'numpy float64', 'cuBLAS float32', 'cuBLAS float64'],
  blas.rows.map(({ nodes, numpy, cuda }) => [
    nodes,
    ...[numpy['float32'], numpy['float64'], cuda['float32'], cuda['float64']].map(rate),
  ]),
);
