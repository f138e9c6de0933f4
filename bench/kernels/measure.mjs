/**
 * Times of the WebGPU engine's kernels on any device: this file uses neither Node nor a page. GPU time covers the
 * dispatches alone; wall time covers the whole call, with uploads, waits and the copy of scores to the host.
 */
import { generator, randomEdges } from '../shared/problem.mjs';
import { watchMemory } from './gpu-memory.mjs';
import { timeDispatches } from './gpu-times.mjs';
import { measurePeaks } from './peaks.mjs';
import { measureSets } from './sets.mjs';

/** @typedef {typeof import('magnitude-edge/statistics')} Statistics */
/** @typedef {{ nodes: number[], samples: number, pairs: number, parents: number, precisions: ('fast' | 'exact')[], sets: import('./sets.mjs').SetSetting }} Setting */
/** @typedef {{ what: string, wall: number, gpu: number | undefined, shaders: Record<string, number> }} Step */

const BATCH = 128;

/** Shaders that form products, those that centre magnitudes first, and those that compute scores, by file name. */
const families = {
  products: /^(accumulate|products)-/,
  centring: /^(digits|deviations|centre)/,
  pearson: /^pearson/,
};

/**
 * @param {GPUDevice} device with timestamp-query if the adapter has it
 * @param {Statistics} statistics
 * @param {Setting} setting
 */
export async function measureKernels(device, statistics, setting) {
  const times = timeDispatches(device);
  const memory = watchMemory(device);
  const peaks = await measurePeaks(device, times, { nodes: 256, samples: 512 });
  const points = [];
  for (const nodes of setting.nodes) {
    for (const precision of setting.precisions) {
      memory.peak();
      const point = await measureEngine(device, times, statistics, { ...setting, nodes, precision });
      points.push({ ...point, peakBytes: memory.peak() });
    }
  }
  const sets = await measureSets(device, times, statistics, setting.sets);
  const { vendor, architecture, device: name, description } = device.adapterInfo;
  return {
    adapter: [...new Set([vendor, architecture, name, description])].filter(Boolean).join(' '),
    timestamps: times.timed,
    peaks,
    points,
    sets,
  };
}

/**
 * @param {GPUDevice} device
 * @param {ReturnType<typeof timeDispatches>} times
 * @param {Statistics} statistics
 * @param {Omit<Setting, 'nodes' | 'precisions' | 'sets'> & { nodes: number, precision: 'fast' | 'exact' }} size
 */
async function measureEngine(device, times, statistics, { nodes, samples, pairs, parents, precision }) {
  const shape = { nodes, pairs, reduction: /** @type {const} */ ('l1') };
  const engine = await statistics.createWebGpuEngine({ device, shape, precision });
  const random = generator(3);
  const layers = () =>
    Array.from({ length: pairs }, () => Float32Array.from({ length: BATCH * nodes }, random));
  const batch = { size: BATCH, x: layers(), y: layers() };
  const request = {
    layerAgg: /** @type {const} */ ('mean'),
    ridge: 1e-8,
    conditioningSets: statistics.conditioningSets(randomEdges(nodes, parents), nodes),
  };
  /** @param {string} what @param {() => Promise<unknown>} work @returns {Promise<Step>} */
  const step = async (what, work) => {
    await device.queue.onSubmittedWorkDone();
    await times.collect();
    const start = performance.now();
    await work();
    await device.queue.onSubmittedWorkDone();
    const wall = (performance.now() - start) / 1000;
    const shaders = await times.collect();
    const gpu = [...shaders.values()].reduce((sum, taken) => sum + taken, 0);
    return { what, wall, gpu: times.timed ? gpu : undefined, shaders: Object.fromEntries(shaders) };
  };
  const take = async () => {
    engine.reset();
    for (let done = 0; done < samples; done += BATCH) await engine.accumulateMagnitudes(batch);
    await engine.flush();
  };
  const partial = (ridge = request.ridge) => engine.score({ ...request, ridge, score: 'partial' });
  const corr = () => engine.score({ ...request, score: 'corr' });
  // Compiles the pipelines.
  await take();
  await partial();
  await corr();
  /** @type {Step[]} */
  const steps = [
    // Products may be deferred until something needs all of them, as partial scores do: the first ones pay for them.
    await step('accumulate', take),
    await step('first partial scores', () => partial()),
    // Another ridge, because the scores of the same request are kept.
    await step('partial scores', () => partial(1.1e-8)),
    await step('corr scores', corr),
  ];
  const notes = engine.diagnostics.notes;
  await engine.release();

  const of = (/** @type {RegExp} */ family, /** @type {Step[]} */ among) => {
    const taken = among
      .flatMap(({ shaders }) => Object.entries(shaders))
      .filter(([label]) => family.test(label))
      .reduce((sum, [, seconds]) => sum + seconds, 0);
    return taken > 0 ? taken : undefined;
  };
  const formed = of(families.products, steps.slice(0, 2));
  const pearson = of(families.pearson, steps.slice(3));
  const elements = nodes ** 2 * pairs;
  return {
    nodes,
    samples,
    pairs,
    parents,
    precision,
    notes,
    steps,
    rates: {
      /** X^T Y and one triangle of X^T X as 3 N^2 n operations, over the time of the product shaders alone */
      productGflops: formed && (3 * elements * samples) / formed / 1e9,
      /** The same operations over all GPU time from magnitudes to products */
      accumulateGflops: withCentring(3 * elements * samples, steps, of),
      /** Pairs of sums read, and scores written: 8 + 4 bytes per element */
      pearsonGigabytes: pearson && (12 * elements) / pearson / 1e9,
      /** (k^2 + 4k) operations per source and target with k parents: forward substitution and two products */
      partialGflops: gpuOf(steps[2], (elements * (parents ** 2 + 4 * parents)) / 1e9),
    },
  };
}

/** @param {number} operations @param {Step[]} steps @param {(family: RegExp, among: Step[]) => number | undefined} of */
function withCentring(operations, steps, of) {
  const [products, centring] = [
    of(families.products, steps.slice(0, 2)),
    of(families.centring, steps.slice(0, 2)),
  ];
  return products && operations / (products + (centring ?? 0)) / 1e9;
}

/** @param {Step | undefined} step @param {number} giga */
function gpuOf(step, giga) {
  return step?.gpu ? giga / step.gpu : undefined;
}
