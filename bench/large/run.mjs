/**
 * Scores of a graph too large for N x N sums, on the CPU: time, peak memory of the whole process with its workers, and
 * for how long the calling thread was held at most. Takes minutes. Needs `npm run build`.
 *
 *     npm run bench -- large                                # N = 10,000, P = 4, n = 2048, 8 parents, both scores
 *     npm run bench -- large --score corr
 *     npm run bench -- large --nodes 6000 --samples 512
 *
 * Magnitudes are noise: the time does not depend on them.
 */
import { cpus, loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { conditioningSets, createCpuEngine } from 'magnitude-edge/statistics';
import { watchThread } from '../shared/held-thread.mjs';
import { generator, randomEdges } from '../shared/problem.mjs';

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '10000' },
    pairs: { type: 'string', default: '4' },
    samples: { type: 'string', default: '2048' },
    parents: { type: 'string', default: '8' },
    workers: { type: 'string', default: '2' },
    score: { type: 'string' },
  },
});
const nodes = Number(options.nodes);
const pairs = Number(options.pairs);
const samples = Number(options.samples);
const parents = Number(options.parents);
const workers = Number(options.workers);
const BATCH = 128;

const random = generator(7);
const sets = conditioningSets(randomEdges(nodes, parents), nodes);

const seconds = (/** @type {number} */ since) => ((performance.now() - since) / 1000).toFixed(1);
const peakMiB = () => (process.resourceUsage().maxRSS / 1024).toFixed(0);

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} threads, Node ${process.version}`);
console.log(
  `load ${loadavg()[0]?.toFixed(1)} when started; N = ${nodes}, P = ${pairs}, n = ${samples}, ${parents} parents per target`,
);
const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers });
const start = performance.now();
for (let first = 0; first < samples; first += BATCH) {
  const size = Math.min(BATCH, samples - first);
  const layers = () =>
    Array.from({ length: pairs }, () => Float32Array.from({ length: size * nodes }, random));
  await engine.accumulateMagnitudes({ size, x: layers(), y: layers() });
}
await engine.flush();
console.log(
  `made and kept in ${seconds(start)} s, peak ${peakMiB()} MiB; ${engine.diagnostics.notes.join('; ')}`,
);

for (const score of /** @type {const} */ (['corr', 'partial'])) {
  if (options.score !== undefined && options.score !== score) continue;
  const thread = watchThread();
  const began = performance.now();
  const before = process.cpuUsage();
  await engine.score({ score, layerAgg: 'mean', ridge: 1e-8, conditioningSets: sets });
  const { user, system } = process.cpuUsage(before);
  const held = thread.stop();
  console.log(
    `${score}: ${seconds(began)} s, ${((user + system) / 1e6).toFixed(1)} s of all cores; peak ${peakMiB()} MiB; ` +
      `this thread was held for ${held.toFixed(0)} ms at most`,
  );
}
await engine.release();
