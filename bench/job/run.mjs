/**
 * The whole job, from magnitudes to the table, compared with the straight port, and the fit of the example compared
 * with torch: one run on one machine, medians side by side.
 *
 *     npm run bench -- job                                   # N = 1000, and the fit of the example
 *     npm run bench -- job --nodes 2000 --repeats 3 --no-fit # another size, without the fit
 *     npm run bench -- job --backend webgpu                  # the WebGPU engine (Dawn), if there is an adapter
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readOptions } from '../shared/options.mjs';
import { machine, printTable, seconds, writeResult } from '../shared/report.mjs';
import { randomEdges, writeMagnitudes } from './inputs.mjs';
import { measure, total } from './sides.mjs';

const options = readOptions({
  nodes: 1000,
  pairs: 4,
  samples: 2048,
  parents: 8,
  batch: 128,
  repeats: 5,
  threads: 2,
  backend: 'cpu',
  'no-fit': false,
});
const { batch, repeats, threads, backend, 'no-fit': noFit, ...size } = options;

/** Largest difference between two files of float64; Infinity if only one holds NaN. */
function largestDifference(/** @type {string} */ a, /** @type {string} */ b) {
  const read = (/** @type {string} */ file) => new Float64Array(Uint8Array.from(readFileSync(file)).buffer);
  const right = read(b);
  return read(a).reduce((worst, value, k) => {
    const other = Number(right[k]);
    if (Number.isNaN(value) !== Number.isNaN(other)) return Infinity;
    return Number.isNaN(value) ? worst : Math.max(worst, Math.abs(value - other));
  }, 0);
}

const folder = mkdtempSync(`${tmpdir()}/magnitude-edge-bench-`);
const setting = { folder, threads: threads ?? 2 };
/** @type {{ job: string, ours: import('./sides.mjs').Measured, port: import('./sides.mjs').Measured, difference?: number }[]} */
const results = [];
try {
  const inputs = { ...writeMagnitudes(folder, size), edges: randomEdges(size) };
  for (const score of ['corr', 'partial']) {
    const job = { ...size, ...inputs, batch, score, backend };
    const out = { ours: `${folder}/ours.f64`, port: `${folder}/port.f64` };
    const ours = measure('ours', 'evaluate', { ...job, repeats, out: out.ours }, setting);
    const port = measure(
      'port',
      'evaluate',
      { ...job, repeats: Math.min(repeats ?? 1, 3), out: out.port },
      setting,
    );
    results.push({
      job: `evaluate, ${score}`,
      ours,
      port,
      difference: largestDifference(out.ours, out.port),
    });
  }
  if (!noFit) {
    const example = fileURLToPath(new URL('../../demo/public/example/', import.meta.url));
    const job = { model: `${example}model.onnx`, data: `${example}data.npz`, batch, repeats, threads };
    results.push({
      job: 'fit of the example',
      ours: measure('ours', 'fit', job, setting),
      port: measure('port', 'fit', job, setting),
    });
  }
} finally {
  rmSync(folder, { recursive: true });
}

const { nodes, pairs, samples, parents } = size;
writeResult(`job-${nodes}-${pairs}-${samples}-${parents}-${backend}`, {
  setup: { ...size, batch, repeats, threads, backend },
  results,
});

const { cpu, cores, load } = machine();
console.log(
  `${cpu}, ${cores} cores, load ${load}; N = ${nodes}, P = ${pairs}, n = ${samples}, ` +
    `${parents} parents per target, batches of ${batch}\n`,
);
const rows = results.flatMap(({ job, ours, port }) => {
  /** @type {[string, import('./sides.mjs').Part[]][]} */
  const parts = job.startsWith('fit')
    ? [[job, ['fit']]]
    : [
        [job, ['evaluate']],
        [job.replace('evaluate', 'magnitudes to table'), ['accumulate', 'first']],
      ];
  return parts.map(([what, of]) => {
    const times = /** @type {const} */ (['wall', 'cpu']).flatMap((kind) => {
      const [own, other] = [total(ours, of, kind), total(port, of, kind)];
      return [seconds(own), seconds(other), `${(other / own).toFixed(1)} x`];
    });
    return [what, ...times, `${ours.peakMiB.toFixed(0)} MiB`, `${port.peakMiB.toFixed(0)} MiB`];
  });
});
printTable(
  [
    '',
    'ours',
    'port, torch',
    'ratio',
    'CPU time, ours',
    'port, torch',
    'ratio',
    'peak memory, ours',
    'port, torch',
  ],
  rows,
);
for (const { job, difference } of results) {
  if (difference !== undefined)
    console.log(`\n${job}: largest difference in corr ${difference.toExponential(1)}`);
}
