/**
 * Cost of uncertainty relative to the scores themselves: G leave-one-group-out scorings, R shuffles.
 *
 *     npm run bench -- uncertainty                               # N = 500, n = 2,048, 4 layer pairs
 *     npm run bench -- uncertainty --nodes 1000 --permutations 3 --backend webgpu
 *
 * Wall-clock seconds and CPU seconds of all cores: one accumulation of all samples, one scoring of them, and the
 * medians of the scorings for resampling, accumulation included.
 */
import { dawnDevice } from '../shared/dawn.mjs';
import { median } from '../shared/median.mjs';
import { readOptions } from '../shared/options.mjs';
import { generator, randomEdges } from '../shared/problem.mjs';
import { printTable, seconds, writeResult } from '../shared/report.mjs';

// A variable keeps the type checker out of built files; their types are those of the sources.
const built = new URL('../../dist/statistics.js', import.meta.url).href;
/** @type {typeof import('../../src/statistics.ts')} */
const { conditioningSets, createEngine, SampleStore, resampleScores } = await import(built);

const setup = readOptions({
  nodes: 500,
  pairs: 4,
  samples: 2048,
  parents: 8,
  groups: 10,
  permutations: 5,
  backend: 'cpu',
});
const { nodes, pairs, samples, groups, permutations } = setup;

const random = generator(7);
const some = () => Float32Array.from({ length: samples * nodes }, () => 2 + random());
const x = Array.from({ length: pairs }, some);
const y = x.map((values) => values.map((value) => 1 + 0.2 * value + random()));
const sets = conditioningSets(randomEdges(nodes, setup.parents), nodes);

/** @typedef {{ wall: number, cpu: number }} Taken wall-clock seconds, and CPU seconds of all cores together */
/** @type {({ score: string, what: string } & Taken)[]} */
const steps = [];

/** A stopwatch that returns the time since its last call. @returns {() => Taken} */
function stopwatch() {
  let [wall, cpu] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const taken = { wall: (performance.now() - wall) / 1e3, cpu: (user + system) / 1e6 };
    [wall, cpu] = [performance.now(), process.cpuUsage()];
    return taken;
  };
}

/** @param {() => Promise<unknown>} work */
async function taken(work) {
  const passed = stopwatch();
  await work();
  return passed();
}

/** @param {readonly Taken[]} times @returns {Taken} */
const medians = (times) => ({
  wall: median(times.map(({ wall }) => wall)),
  cpu: median(times.map(({ cpu }) => cpu)),
});

const shape = { nodes, pairs };
const on = setup.backend === 'webgpu' ? { device: await dawnDevice() } : {};
const backend = /** @type {'cpu' | 'webgpu'} */ (setup.backend);
const { engine, release } = await createEngine({ ...shape, backend, ...on });
const record = new SampleStore(shape, 2 ** 32);
record.reserve(samples);
record.add({ size: samples, x, y });
// Starts workers and compiles kernels before anything is measured.
await engine.accumulateMagnitudes({
  size: 64,
  x: x.map((v) => v.slice(0, 64 * nodes)),
  y: y.map((v) => v.slice(0, 64 * nodes)),
});
await engine.flush();
for (const score of /** @type {const} */ (['corr', 'partial'])) {
  const request = /** @type {const} */ ({ score, layerAgg: 'mean', ridge: 1e-8, conditioningSets: sets });
  engine.reset();
  const accumulated = await taken(async () => {
    await engine.accumulateMagnitudes({ size: samples, x, y });
    await engine.flush();
  });
  const scored = await taken(() => engine.score(request));
  const { aggregated } = await engine.score(request);
  /** Times of each scoring */
  const scorings = /** @type {Taken[]} */ ([]);
  const passed = stopwatch();
  const plan = { groups, permutations, seed: 1 };
  const onProgress = () => {
    scorings.push(passed());
  };
  await resampleScores(record, aggregated, request, { plan, engine, onProgress });
  steps.push(
    { score, what: 'accumulate', ...accumulated },
    { score, what: 'score', ...scored },
    { score, what: `one of ${groups} groups left out`, ...medians(scorings.slice(0, groups)) },
  );
  if (permutations > 0)
    steps.push({ score, what: `one of ${permutations} shuffles`, ...medians(scorings.slice(groups)) });
}
const { notes } = engine.diagnostics;
await release();

writeResult(`uncertainty-${setup.backend}`, { setup, notes, steps });
const kept = (8 * pairs * nodes * samples) / 2 ** 20;
console.log(`${notes.join('; ')}; N = ${nodes}, P = ${pairs}, n = ${samples}, ${kept.toFixed(0)} MiB kept\n`);
printTable(
  ['score', 'what', 'by the clock', 'CPU time'],
  steps.map(({ score, what, wall, cpu }) => [score, what, seconds(wall), seconds(cpu)]),
);
