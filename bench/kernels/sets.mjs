/**
 * Growth of the kernels of partial correlations with the size of conditioning sets: GPU time per target with that many
 * parents, of its factor and of the forward substitution of all sources. Uses neither Node nor a page.
 */
import { median } from '../shared/median.mjs';
import { generator } from '../shared/problem.mjs';

/** @typedef {typeof import('magnitude-edge/statistics')} Statistics */
/** @typedef {{ nodes: number, sizes: number[], repeats: number }} SetSetting */

/** Approximate multiply-adds of one measurement; they determine how many targets are measured together. */
const STEPS = 1e8;

/** Enough for meaningless numbers: the ridge makes sets of any size regular. */
const SAMPLES = 128;
const RIDGE = 0.1;

const families = {
  factors: /^(systems|cholesky)/,
  substitution: /^partial/,
};

/**
 * @param {GPUDevice} device
 * @param {{ collect(): Promise<Map<string, number>> }} times GPU times; see gpu-times.mjs
 * @param {Statistics} statistics
 * @param {SetSetting} setting
 */
export async function measureSets(device, times, statistics, { nodes, sizes, repeats }) {
  const engine = await statistics.createWebGpuEngine({
    device,
    shape: { nodes, pairs: 1, reduction: 'l1' },
    precision: 'fast',
  });
  const random = generator(5);
  const layer = () => [Float32Array.from({ length: SAMPLES * nodes }, random)];
  await engine.accumulateMagnitudes({ size: SAMPLES, x: layer(), y: layer() });
  // Scores are kept: a request rescores only the targets whose parents changed since the last.
  /** @param {number} targets @param {number} size */
  const score = async (targets, size) => {
    const scores = await engine.scores({
      score: 'partial',
      layerAgg: 'mean',
      ridge: RIDGE,
      conditioningSets: statistics.conditioningSets(edgesInto(targets, size, nodes), nodes),
    });
    scores.release();
    await device.queue.onSubmittedWorkDone();
  };
  const points = [];
  await score(0, 0);
  for (const size of sizes.filter((wanted) => wanted < nodes)) {
    const steps = nodes * (size ** 2 / 2 + 2 * size) + size ** 3 / 6;
    const targets = Math.min(nodes, Math.max(1, Math.round(STEPS / steps)));
    /** @type {{ wall: number, factors: number, substitution: number }[]} */
    const runs = [];
    // The first run compiles pipelines.
    for (let run = 0; run <= repeats; run++) {
      await times.collect();
      const start = performance.now();
      await score(targets, size);
      const wall = (performance.now() - start) / 1000;
      const shaders = await times.collect();
      const of = (/** @type {RegExp} */ family) =>
        [...shaders].reduce((sum, [label, taken]) => (family.test(label) ? sum + taken : sum), 0);
      if (run > 0)
        runs.push({ wall, factors: of(families.factors), substitution: of(families.substitution) });
      await score(0, 0);
    }
    const each = (/** @type {'wall' | 'factors' | 'substitution'} */ kind) =>
      median(runs.map((run) => run[kind])) / targets;
    const [wall, factors, substitution] = [each('wall'), each('factors'), each('substitution')];
    points.push({ size, targets, steps, wall, factors, substitution });
  }
  await engine.release();
  return { nodes, repeats, points };
}

/**
 * Edges from the `size` next nodes into each of the first targets.
 * @param {number} targets @param {number} size @param {number} nodes
 * @returns {[number[], number[]]}
 */
function edgesInto(targets, size, nodes) {
  const every = Array.from({ length: targets * size }, (_, edge) => edge);
  const target = (/** @type {number} */ edge) => Math.floor(edge / size);
  return [every.map((edge) => (target(edge) + 1 + (edge % size)) % nodes), every.map(target)];
}
