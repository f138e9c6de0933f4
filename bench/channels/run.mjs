/**
 * Times channel scores from given channel values: one ridge regression per layer pair, as `evaluate` computes them
 * after a fit, and the pooled regression.
 *
 *     npm run bench -- channels                              # 600 nodes, 5 channels, 1,500 samples, 5 layer pairs
 *     npm run bench -- channels --nodes 2000 --samples 2000 --aggregations mean
 *     npm run bench -- channels --network FOLDER             # a model.onnx and data.npz: evaluate after fit
 *     npm run bench -- channels --backend webgpu             # on a GPU, in Node (Dawn), compared with the CPU's scores
 *
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resourceUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { dawnDevice, vulkanEnvironment } from '../shared/dawn.mjs';
import { readOptions } from '../shared/options.mjs';
import { generator } from '../shared/problem.mjs';
import { printTable, seconds, writeResult } from '../shared/report.mjs';

// As the command does: in Node 20, V8 has relaxed SIMD behind a flag.
if (process.versions.v8.startsWith('11.3.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
// A variable keeps the type checker out of built files; their types are those of the sources.
const [statistics, library] = ['statistics', 'index'].map(
  (name) => new URL(`../../dist/${name}.js`, import.meta.url).href,
);
/** @type {typeof import('../../src/statistics.ts')} */
const { scoreSavedChannels } = await import(/** @type {string} */ (statistics));
/** @type {typeof import('../../src/index.ts')} */
const { batches, GsnnModel, MagnitudeEdgeInferer } = await import(/** @type {string} */ (library));

const setup = readOptions({
  nodes: 600,
  channels: 5,
  pairs: 5,
  samples: 1500,
  repeats: 3,
  aggregations: 'mean,pooled',
  network: '',
  backend: 'cpu',
});
const onGpu = setup.backend === 'webgpu';
const drivers = vulkanEnvironment();
if (onGpu && Object.keys(drivers).some((name) => process.env[name] === undefined)) {
  // Drivers are looked up before a process starts, so run again with them in the environment.
  const env = { ...process.env, ...drivers };
  const { status } = spawnSync(process.execPath, process.argv.slice(1), { stdio: 'inherit', env });
  process.exit(status ?? 1);
}
const device = onGpu ? await dawnDevice() : undefined;

/** @typedef {{ layerAgg: string, repeat: number, wall: number, cpu: number }} Taken wall-clock and CPU seconds */
/** @type {Taken[]} */
const times = [];

/** Largest difference between GPU and CPU scores, relative to the largest score @type {number | undefined} */
let difference;

/** @param {(layerAgg: 'mean' | 'pooled', lambda: number) => Promise<void>} score */
async function measure(score) {
  for (const layerAgg of /** @type {('mean' | 'pooled')[]} */ (setup.aggregations.split(','))) {
    for (let repeat = 0; repeat < setup.repeats; repeat++) {
      const [wall, cpu] = [performance.now(), process.cpuUsage()];
      await score(layerAgg, 3 + repeat / 10);
      const { user, system } = process.cpuUsage(cpu);
      times.push({ layerAgg, repeat, wall: (performance.now() - wall) / 1e3, cpu: (user + system) / 1e6 });
    }
  }
}

async function measureNetwork() {
  const model = await GsnnModel.load(readFileSync(`${setup.network}/model.onnx`));
  const inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  await inferer.fit(batches(readFileSync(`${setup.network}/data.npz`), model));
  await measure(async (layerAgg, lambda) => {
    await inferer.evaluate({ score: 'channel', layerAgg, lambda });
  });
  await inferer.release();
  await model.release();
}

async function measureNoise() {
  const { nodes, channels, samples, pairs } = setup;
  const random = generator(7);
  const values = () => Float32Array.from({ length: nodes * channels * samples }, () => random() - 0.5);
  const saved = {
    samples,
    most: channels,
    counts: new Int32Array(nodes).fill(channels),
    pairs: Array.from({ length: pairs }, () => ({ x: values(), u: values() })),
  };
  /** @param {'mean' | 'pooled'} layerAgg @param {number} lambda @param {GPUDevice} [where] */
  const scored = async (layerAgg, lambda, where) => {
    const scores = await scoreSavedChannels(saved, { layerAgg, lambda }, where);
    const matrix = Float64Array.from(await scores.aggregate());
    scores.release();
    return matrix;
  };
  if (device) {
    // Also compiles the shaders.
    const [found, right] = [await scored('mean', 3, device), await scored('mean', 3)];
    const largest = right.reduce((most, value) => Math.max(most, value), 0);
    difference =
      right.reduce((most, value, at) => Math.max(most, Math.abs(value - (found[at] ?? NaN))), 0) / largest;
    console.log(
      `${device.adapterInfo.description}: off the CPU by ${difference.toExponential(1)} of the largest score`,
    );
  }
  await measure(async (layerAgg, lambda) => {
    await scored(layerAgg, lambda, device);
  });
}

await (setup.network === '' ? measureNoise() : measureNetwork());
const peakMiB = Math.round(resourceUsage().maxRSS / 1024);
const name = setup.network === '' ? `channels-${setup.nodes}-${setup.samples}` : 'channels-network';
const { network, ...sizes } = setup;
writeResult(onGpu ? `${name}-webgpu` : name, {
  setup: network === '' ? sizes : { repeats: setup.repeats },
  ...(device ? { adapter: device.adapterInfo.description, difference } : {}),
  peakMiB,
  times,
});
console.log(`peak memory ${peakMiB} MiB\n`);
printTable(
  ['layer pairs', 'run', 'by the clock', 'CPU time'],
  times.map(({ layerAgg, repeat, wall, cpu }) => [layerAgg, repeat + 1, seconds(wall), seconds(cpu)]),
);
if (device) {
  device.destroy();
  process.exit(0);
}
