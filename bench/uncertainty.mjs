/**
 * Measures what uncertainty costs beside the scores themselves: G leave-one-group-out scorings, R shuffles.
 *
 *     node bench/uncertainty.mjs                                  # N = 500, n = 2,048, 4 layer pairs
 *     node bench/uncertainty.mjs --nodes 1000 --permutations 3 --backend webgpu
 *
 * Wall and CPU seconds per scoring, the score from sums that are there already, and one accumulation of all samples.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

// A variable keeps the type checker out of built files; their types are those of the sources.
const built = new URL('../dist/statistics.js', import.meta.url).href;
/** @type {typeof import('../src/statistics.ts')} */
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
/** @param {string} what @param {{ wall: number, cpu: number }} time @param {number} times */
const show = (what, { wall, cpu }, times = 1) => {
  const [each, used] = [wall / times, cpu / times].map((seconds) => seconds.toFixed(3).padStart(8));
  console.log(`${what.padEnd(44)}${each} s wall ${used} s CPU`);
};

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}; N ${nodes}, P ${pairs}, n ${samples}, ${parents} parents`);
const shape = { nodes, pairs };
const { engine, release } = await createEngine({ ...shape, backend: /** @type {'cpu'} */ (options.backend) });
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
  const resample = (/** @type {number} */ shuffles) =>
    taken(() =>
      resampleScores(record, aggregated, request, { groups, permutations: shuffles, seed: 1 }, engine),
    );
  const jackknife = await resample(0);
  show(`${score}: each of ${groups} groups left out`, jackknife, groups);
  const both = await resample(permutations);
  const shuffles = { wall: both.wall - jackknife.wall, cpu: both.cpu - jackknife.cpu };
  show(`${score}: each of ${permutations} shuffles`, shuffles, permutations);
}
await release();
