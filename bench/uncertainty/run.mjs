/**
 * Measures what uncertainty costs beside the scores themselves: G leave-one-group-out scorings, R shuffles.
 *
 *     npm run bench -- uncertainty                               # N = 500, n = 2,048, 4 layer pairs
 *     npm run bench -- uncertainty --nodes 1000 --permutations 3 --backend webgpu
 *
 * Seconds by the clock and of all cores together: one accumulation of all samples, one scoring of them, and the medians of
 * the scorings that resampling takes, accumulation included.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { dawnDevice } from '../shared/dawn.mjs';

// A variable keeps the type checker out of built files; their types are those of the sources.
const built = new URL('../../dist/statistics.js', import.meta.url).href;
/** @type {typeof import('../../src/statistics.ts')} */
const { conditioningSets, createEngine, MagnitudeRecord, resampleScores } = await import(built);

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '500' },
    pairs: { type: 'string', default: '4' },
    samples: { type: 'string', default: '2048' },
    parents: { type: 'string', default: '8' },
    groups: { type: 'string', default: '10' },
    permutations: { type: 'string', default: '5' },
    backend: { type: 'string', default: 'cpu' },
  },
});
const nodes = Number(options.nodes);
const pairs = Number(options.pairs);
const samples = Number(options.samples);
const parents = Number(options.parents);
const groups = Number(options.groups);
const permutations = Number(options.permutations);

let state = 7;
const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
const some = () => Float32Array.from({ length: samples * nodes }, () => 2 + random());
const x = Array.from({ length: pairs }, some);
const y = x.map((values) => values.map((value) => 1 + 0.2 * value + random()));
// Never a node itself, so that every target has its parents.
const targets = Array.from({ length: nodes * parents }, (_, edge) => edge % nodes);
const sources = targets.map((target) => (target + 1 + Math.floor(random() * (nodes - 1))) % nodes);
const sets = conditioningSets([sources, targets], nodes);

/** @param {() => Promise<unknown>} work */
async function taken(work) {
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wall: (performance.now() - wall) / 1e3, cpu: (user + system) / 1e6 };
}
/** @param {string} what @param {{ wall: number, cpu: number }} time */
const show = (what, { wall, cpu }) => {
  const [clock, used] = [wall, cpu].map((seconds) => seconds.toFixed(3).padStart(8));
  console.log(`${what.padEnd(44)}${clock} s wall ${used} s CPU`);
};
/** @param {{ wall: number, cpu: number }[]} times */
const median = (times) => {
  const middle = (/** @type {number[]} */ values) => Number(values.sort((a, b) => a - b)[values.length >> 1]);
  return { wall: middle(times.map(({ wall }) => wall)), cpu: middle(times.map(({ cpu }) => cpu)) };
};

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}; N ${nodes}, P ${pairs}, n ${samples}, ${parents} parents`);
const shape = { nodes, pairs };
const on = options.backend === 'webgpu' ? { device: await dawnDevice() } : {};
const backend = /** @type {'cpu' | 'webgpu'} */ (options.backend);
const { engine, release } = await createEngine({ ...shape, backend, ...on });
console.log(`${engine.diagnostics.backend}: ${engine.diagnostics.notes.join('; ')}`);
const record = new MagnitudeRecord(shape, 2 ** 32);
record.reserve(samples);
record.add({ size: samples, x, y });
console.log(`kept: ${((8 * pairs * nodes * samples) / 2 ** 20).toFixed(0)} MiB`);
// Workers start and kernels compile before anything is measured.
await engine.accumulateMagnitudes({
  size: 64,
  x: x.map((v) => v.slice(0, 64 * nodes)),
  y: y.map((v) => v.slice(0, 64 * nodes)),
});
await engine.flush();
for (const score of /** @type {const} */ (['corr', 'partial'])) {
  const request = /** @type {const} */ ({ score, layerAgg: 'mean', ridge: 1e-8, conditioningSets: sets });
  engine.reset();
  show(
    `${score}: accumulate`,
    await taken(async () => {
      await engine.accumulateMagnitudes({ size: samples, x, y });
      await engine.flush();
    }),
  );
  show(`${score}: score`, await taken(() => engine.score(request)));
  const { aggregated } = await engine.score(request);
  /** Clock and CPU seconds of each scoring */
  const steps = /** @type {{ wall: number, cpu: number }[]} */ ([]);
  let [wall, cpu] = [performance.now(), process.cpuUsage()];
  const plan = { groups, permutations, seed: 1 };
  await resampleScores(record, aggregated, request, plan, engine, () => {
    const { user, system } = process.cpuUsage(cpu);
    steps.push({ wall: (performance.now() - wall) / 1e3, cpu: (user + system) / 1e6 });
    [wall, cpu] = [performance.now(), process.cpuUsage()];
  });
  show(`${score}: one of ${groups} groups left out`, median(steps.slice(0, groups)));
  if (permutations > 0) show(`${score}: one of ${permutations} shuffles`, median(steps.slice(groups)));
}
await release();
