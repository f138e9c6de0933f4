/**
 * Accumulation on the CPU beside OpenBLAS float64: X^T Y and X^T X of the same layer pairs, on as many threads, taken in
 * turns in one run so that both meet the same machine. Needs `npm run build`; numpy as in bench/requirements.txt.
 *
 *     node bench/cpu-products.mjs                                        # N = 1024, 1 and 2 threads
 *     node --experimental-wasm-relaxed-simd bench/cpu-products.mjs       # fused products, which Node has from 22 on
 *     node bench/cpu-products.mjs --nodes 2000 --repeats 9
 *
 * Both are counted as 3 N^2 n operations: 2 N^2 n for X^T Y, N^2 n for the triangle of X^T X (numpy uses syrk).
 * Ours starts from float32 magnitudes and includes copies to the workers, pivots, packing and the running sums.
 */
import { spawn } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createCpuEngine } from 'magnitude-edge/statistics';
import { python } from './python.mjs';

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1024' },
    pairs: { type: 'string', default: '2' },
    samples: { type: 'string', default: '1024' },
    repeats: { type: 'string', default: '15' },
  },
});
const nodes = Number(options.nodes);
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

/** numpy in a process that lives on: one measurement per line that it is sent. */
function startNumpy(/** @type {number} */ threads) {
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

function startOurs(/** @type {number} */ threads) {
  const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers: threads === 1 ? 0 : threads });
  const layers = () =>
    Array.from({ length: pairs }, () => Float32Array.from({ length: BATCH * nodes }, Math.random));
  const batch = { size: BATCH, x: layers(), y: layers() };
  return {
    async seconds() {
      const start = performance.now();
      for (let done = 0; done < samples; done += BATCH) await engine.accumulateMagnitudes(batch);
      await engine.flush();
      return (performance.now() - start) / 1000;
    },
    note: () => engine.diagnostics.notes.join('; '),
    end: () => engine.release(),
  };
}

const gflops = (/** @type {number} */ seconds) => (3 * nodes ** 2 * samples * pairs) / seconds / 1e9;
const median = (/** @type {number[]} */ values) => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} threads, Node ${process.version}`);
console.log(
  `load ${loadavg()[0]?.toFixed(1)} when started; N = ${nodes}, P = ${pairs}, n = ${samples}, ${repeats} repeats`,
);
for (const threads of [1, 2]) {
  const [ours, numpy] = [startOurs(threads), startNumpy(threads)];
  /** @type {{ ours: number[], numpy: number[] }} */
  const taken = { ours: [], numpy: [] };
  // The first of each starts workers and thread pools, and warms the compilers.
  for (let repeat = -1; repeat < repeats; repeat++) {
    const pair = { ours: await ours.seconds(), numpy: await numpy.seconds() };
    if (repeat < 0) continue;
    taken.ours.push(pair.ours);
    taken.numpy.push(pair.numpy);
  }
  const report = (/** @type {number[]} */ seconds) =>
    `median ${gflops(median(seconds)).toFixed(1)}, best ${gflops(Math.min(...seconds)).toFixed(1)} GFLOP/s`;
  console.log(`${threads} thread(s)`);
  console.log(`  numpy float64   ${report(taken.numpy)}`);
  console.log(`  magnitude-edge  ${report(taken.ours)}  (${ours.note()})`);
  console.log(
    `  numpy is faster by ${(median(taken.ours) / median(taken.numpy)).toFixed(2)} (medians), ` +
      `${(Math.min(...taken.ours) / Math.min(...taken.numpy)).toFixed(2)} (best)`,
  );
  numpy.end();
  await ours.end();
}
