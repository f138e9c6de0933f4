/**
 * Accumulation on the CPU beside OpenBLAS float64: X^T Y and X^T X of the same layer pairs, on as many threads, taken in
 * turns in one run so that both meet the same machine. Needs `npm run build`; numpy as in bench/requirements.txt.
 *
 *     npm run bench -- products                                  # N = 256, 512 and 1024, on 1 and 2 threads
 *     npm run bench -- products --nodes 2000 --repeats 9
 *
 * Both are counted as 3 N^2 n operations: 2 N^2 n for X^T Y, N^2 n for the triangle of X^T X (numpy uses syrk).
 * Ours starts from float32 magnitudes and ends with the statistics on the host: copies to the workers, pivots, packing,
 * and the copy of the sums are in it. numpy's starts from float64 and ends with the products.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createCpuEngine } from 'magnitude-edge/statistics';
import { python } from '../shared/python.mjs';
import { machine, median, numbers, printTable, writeResult } from '../shared/report.mjs';

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '256,512,1024' },
    pairs: { type: 'string', default: '2' },
    samples: { type: 'string', default: '1024' },
    repeats: { type: 'string', default: '15' },
    threads: { type: 'string', default: '1,2' },
  },
});
const pairs = Number(options.pairs);
const samples = Number(options.samples);
const repeats = Number(options.repeats);
const BATCH = 256;

const numpyProgram = `
import sys, time, numpy
nodes, pairs, samples = map(int, sys.argv[1:])
random = numpy.random.default_rng(1)
x, y = (random.random((pairs, samples, nodes)) for _ in range(2))
for _ in sys.stdin:
    start = time.perf_counter()
    for p in range(pairs):
        x[p].T @ y[p]
        x[p].T @ x[p]
    print(time.perf_counter() - start, flush=True)
`;

/** numpy in a process that lives on: one measurement per line that it is sent. @param {number} nodes @param {number} threads */
function startNumpy(nodes, threads) {
  const child = spawn(python(), ['-c', numpyProgram, ...[nodes, pairs, samples].map(String)], {
    env: { ...process.env, OPENBLAS_NUM_THREADS: String(threads) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async seconds() {
      child.stdin.write('\n');
      const { value } = await lines.next();
      return Number(value);
    },
    end: () => child.stdin.end(),
  };
}

/** @param {number} nodes @param {number} threads */
function startOurs(nodes, threads) {
  const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers: threads === 1 ? 0 : threads });
  const layers = () =>
    Array.from({ length: pairs }, () => Float32Array.from({ length: BATCH * nodes }, Math.random));
  const batch = { size: BATCH, x: layers(), y: layers() };
  return {
    async seconds() {
      engine.reset();
      const start = performance.now();
      for (let done = 0; done < samples; done += BATCH) await engine.accumulateMagnitudes(batch);
      // Products may be put off until something needs them.
      await engine.statistics();
      return (performance.now() - start) / 1000;
    },
    note: () => engine.diagnostics.notes.join('; '),
    end: () => engine.release(),
  };
}

const points = [];
for (const nodes of numbers(options.nodes)) {
  const gflops = (/** @type {number} */ seconds) => (3 * nodes ** 2 * samples * pairs) / seconds / 1e9;
  for (const threads of numbers(options.threads)) {
    const [ours, numpy] = [startOurs(nodes, threads), startNumpy(nodes, threads)];
    /** @type {{ ours: number[], numpy: number[] }} */
    const taken = { ours: [], numpy: [] };
    // The first of each starts workers and thread pools, and warms the compilers.
    for (let repeat = -1; repeat < repeats; repeat++) {
      const both = { ours: await ours.seconds(), numpy: await numpy.seconds() };
      if (repeat < 0) continue;
      taken.ours.push(both.ours);
      taken.numpy.push(both.numpy);
    }
    const rates = (/** @type {number[]} */ seconds) => ({
      median: gflops(median(seconds)),
      best: gflops(Math.min(...seconds)),
    });
    points.push({
      nodes,
      threads,
      ours: rates(taken.ours),
      numpy: rates(taken.numpy),
      note: ours.note(),
    });
    numpy.end();
    await ours.end();
  }
}

writeResult('products-cpu', { setup: { pairs, samples, repeats }, points });
console.log(`${machine().cpu}; P = ${pairs}, n = ${samples}, ${repeats} repeats; GFLOP/s, median (best)\n`);
printTable(
  ['N', 'threads', 'numpy float64', 'ours', 'numpy faster by'],
  points.map(({ nodes, threads, ours, numpy }) => [
    nodes,
    threads,
    `${numpy.median.toFixed(1)} (${numpy.best.toFixed(1)})`,
    `${ours.median.toFixed(1)} (${ours.best.toFixed(1)})`,
    `${(numpy.median / ours.median).toFixed(2)} (${(numpy.best / ours.best).toFixed(2)})`,
  ]),
);
console.log(`\n${points.at(-1)?.note ?? ''}`);
