/**
 * Measures the library beside the straight port and torch, in one run on one machine, and prints medians side by side.
 *
 *     npm run bench                                          # N = 1000, and the fit of the example
 *     npm run bench -- --nodes 2000 --repeats 3 --no-fit     # another size, without the fit
 *     npm run bench -- --backend webgpu                      # the WebGPU engine (Dawn), where there is an adapter
 *
 * Each measurement has a process of its own, so that peak memory is its own. Results go to bench/results/ as JSON.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { python } from './python.mjs';

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    pairs: { type: 'string', default: '4' },
    samples: { type: 'string', default: '2048' },
    parents: { type: 'string', default: '8' },
    batch: { type: 'string', default: '128' },
    repeats: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    backend: { type: 'string', default: 'cpu' },
    'no-fit': { type: 'boolean', default: false },
  },
});
const nodes = Number(options.nodes);
const pairs = Number(options.pairs);
const samples = Number(options.samples);
const parents = Number(options.parents);
const batch = Number(options.batch);
const repeats = Number(options.repeats);
const threads = Number(options.threads);

const path = (/** @type {string} */ relative) => fileURLToPath(new URL(relative, import.meta.url));
const work = mkdtempSync(`${tmpdir()}/magnitude-edge-bench-`);
/** @typedef {{ wall: number, cpu: number }} Taken seconds by the clock, and seconds of all cores together */
/**
 * `first`: the first table after the samples, `evaluate`: another one from the same statistics
 * @typedef {{ accumulate: Taken[], first?: Taken[], evaluate: Taken[], fit: Taken[], peakMiB: number,
 *   notes?: string[] }} Measured
 */

/** @param {Taken[]} list @param {'wall' | 'cpu'} kind */
const median = (list, kind) => {
  const sorted = Float64Array.from(list, (taken) => taken[kind]).sort();
  const half = sorted.length >> 1;
  const upper = Number(sorted.at(half));
  return sorted.length % 2 === 1 ? upper : (upper + Number(sorted.at(half - 1))) / 2;
};

/** Repeatable numbers in [0, 1). */
function generator(/** @type {number} */ seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/**
 * Magnitudes `[pairs, samples, nodes]` in two files: x around 2 with a common part per sample, so that correlations
 * are neither all zero nor all one; y of each node follows one x.
 */
function writeMagnitudes() {
  const random = generator(20261123);
  const x = new Float32Array(pairs * samples * nodes);
  const y = new Float32Array(x.length);
  for (let row = 0; row < pairs * samples; row++) {
    const common = random();
    for (let i = 0; i < nodes; i++) x[row * nodes + i] = 2 + random() + 0.5 * common;
    for (let j = 0; j < nodes; j++) {
      y[row * nodes + j] = random() + 0.5 * Number(x[row * nodes + ((j * 7 + 3) % nodes)]) + 0.2 * common;
    }
  }
  const files = { x: `${work}/x.f32`, y: `${work}/y.f32` };
  writeFileSync(files.x, new Uint8Array(x.buffer));
  writeFileSync(files.y, new Uint8Array(y.buffer));
  return files;
}

/** `parents` different parents for each target. */
function writeEdges() {
  const random = generator(7);
  const edges = [];
  for (let j = 0; j < nodes; j++) {
    const chosen = new Set();
    while (chosen.size < Math.min(parents, nodes - 1)) {
      const i = Math.floor(random() * nodes);
      if (i !== j) chosen.add(i);
    }
    for (const i of chosen) edges.push([i, j]);
  }
  return edges;
}

const environment = {
  ...process.env,
  OPENBLAS_NUM_THREADS: String(threads),
  OMP_NUM_THREADS: String(threads),
};

/** Runs one measurement. @returns {Measured} */
function measure(
  /** @type {'ours' | 'port'} */ side,
  /** @type {string} */ command,
  /** @type {object} */ job,
) {
  const file = `${work}/job.json`;
  writeFileSync(file, JSON.stringify(job));
  const [program, script] =
    side === 'ours' ? [process.execPath, path('./ours/measure.mjs')] : [python(), path('./port/measure.py')];
  const out = execFileSync(program, [script, command, file], {
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '');
}

/** Between two files of float64; Infinity where only one holds NaN. */
function largestDifference(/** @type {string} */ a, /** @type {string} */ b) {
  const read = (/** @type {string} */ file) => new Float64Array(Uint8Array.from(readFileSync(file)).buffer);
  const right = read(b);
  return read(a).reduce((worst, value, k) => {
    const other = Number(right[k]);
    if (Number.isNaN(value) !== Number.isNaN(other)) return Infinity;
    return Number.isNaN(value) ? worst : Math.max(worst, Math.abs(value - other));
  }, 0);
}

/** @type {{ job: string, ours: Measured, port: Measured, difference?: number }[]} */
const results = [];
try {
  const magnitudes = writeMagnitudes();
  const edges = writeEdges();
  for (const score of ['corr', 'partial']) {
    const job = { ...magnitudes, nodes, pairs, samples, batch, edges, score, backend: options.backend };
    const [ours, port] = [
      measure('ours', 'evaluate', { ...job, repeats, out: `${work}/ours.f64` }),
      measure('port', 'evaluate', { ...job, repeats: Math.min(repeats, 3), out: `${work}/port.f64` }),
    ];
    results.push({
      job: `evaluate, ${score}`,
      ours,
      port,
      difference: largestDifference(`${work}/ours.f64`, `${work}/port.f64`),
    });
  }
  if (!options['no-fit']) {
    const example = path('../demo/public/example/');
    const job = { model: `${example}model.onnx`, data: `${example}data.npz`, batch, repeats, threads };
    results.push({
      job: 'fit of the example',
      ours: measure('ours', 'fit', job),
      port: measure('port', 'fit', job),
    });
  }
} finally {
  rmSync(work, { recursive: true });
}

const report = {
  date: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model, threads: availableParallelism(), node: process.version },
  setup: { nodes, pairs, samples, parents, batch, repeats, threads, backend: options.backend },
  results,
};
mkdirSync(path('./results/'), { recursive: true });
const name = `${nodes}-${pairs}-${samples}-${parents}-${options.backend}.json`;
writeFileSync(path(`./results/${name}`), `${JSON.stringify(report, null, 2)}\n`);

const s = (/** @type {number} */ seconds) =>
  seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(2)} s`;
console.log(
  `${report.machine.cpu}, ${report.machine.threads} cores; N = ${nodes}, P = ${pairs}, n = ${samples}, ` +
    `${parents} parents per target, batches of ${batch}\n`,
);
console.log(
  '| | ours | port, torch | ratio | CPU time, ours | port, torch | ratio | peak memory, ours | port, torch |',
);
console.log('|---|---|---|---|---|---|---|---|---|');

/** One row: medians of each part, added up. @param {string} what @param {('fit' | 'evaluate' | 'accumulate' | 'first')[]} parts */
function row(what, /** @type {Measured} */ ours, /** @type {Measured} */ port, parts) {
  const sum = (/** @type {Measured} */ of, /** @type {'wall' | 'cpu'} */ kind) =>
    parts.reduce((total, part) => total + median(of[part] ?? of.evaluate, kind), 0);
  const times = /** @type {const} */ (['wall', 'cpu']).map((kind) => {
    const [own, other] = [sum(ours, kind), sum(port, kind)];
    return `${s(own)} | ${s(other)} | ${(other / own).toFixed(1)} x`;
  });
  console.log(
    `| ${what} | ${times.join(' | ')} | ${ours.peakMiB.toFixed(0)} MiB | ${port.peakMiB.toFixed(0)} MiB |`,
  );
}

for (const { job, ours, port } of results) {
  if (job.startsWith('fit')) {
    row(job, ours, port, ['fit']);
    continue;
  }
  row(job, ours, port, ['evaluate']);
  row(job.replace('evaluate', 'magnitudes to table'), ours, port, ['accumulate', 'first']);
}
for (const { job, difference } of results) {
  if (difference !== undefined)
    console.log(`\n${job}: largest difference in corr ${difference.toExponential(1)}`);
}
