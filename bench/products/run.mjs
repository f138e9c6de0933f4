/**
 * Accumulation on the CPU compared with OpenBLAS float64: X^T Y and X^T X of the same layer pairs, on the same number
 * of threads, alternating in one run so that both meet the same conditions. Needs `npm run build`; numpy as in
 * bench/requirements.txt.
 *
 *     npm run bench -- products                                  # N = 256, 512 and 1024, on 1 and 2 threads, in Node
 *     npm run bench -- products --where chromium                 # in headless Chromium, cross-origin isolated
 *     npm run bench -- products --where node,chromium --nodes 2000 --repeats 9
 *     npm run bench -- products --precision exact,fast           # and plain correlations, X^T Y alone
 *
 * All are counted as 3 N^2 n operations: 2 N^2 n for X^T Y, N^2 n for the triangle of X^T X (numpy uses syrk). Ours
 * starts from float32 magnitudes and ends with the statistics on the host, including copies to the workers, pivots,
 * packing, and the copy of the sums. numpy's starts from float64 and ends with the products.
 *
 * Two reference rates in the same run show how close to the hardware this is: multiply-adds without any loads in
 * vectors of 128 bits, the widest in WebAssembly, and numpy with OpenBLAS's AVX2 kernels alone
 * (OPENBLAS_CORETYPE=Haswell), as on processors without AVX-512.
 * `node --experimental-wasm-revectorize bench/run.mjs products` (Node 24 and later) lets V8 make vectors of 256 bits.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import * as library from 'magnitude-edge/statistics';
import { withPage } from '../shared/chromium-page.mjs';
import { readOptions } from '../shared/options.mjs';
import { python } from '../shared/python.mjs';
import { median } from '../shared/median.mjs';
import { machine, numbers, printTable, revectorized, writeResult } from '../shared/report.mjs';
import { startLimit } from './limit.mjs';
import { startOurs } from './measure.mjs';

const { pairs, samples, repeats, ...lists } = readOptions({
  nodes: '256,512,1024',
  pairs: 2,
  samples: 1024,
  repeats: 15,
  threads: '1,2',
  where: 'node',
  precision: '',
});
const precisions = /** @type {('exact' | 'fast')[]} */ (lists.precision.split(',').filter(Boolean));

/**
 * Milliseconds of rest between two measurements. With more than one thread, OpenBLAS keeps a core for each of the
 * others busy for up to 100 ms after its work (by the CPU time of its process): as long as two of our threads take for
 * 512 nodes, one of which then had half a core.
 */
const REST = 150;

/** @typedef {import('./measure.mjs').Size} Size */
/**
 * One side, kept alive between its runs.
 * @typedef {{ gflops: () => Promise<number>, end: () => unknown }} Side
 * @typedef {{ seconds: () => Promise<number>, note: () => string | Promise<string>, end: () => unknown }} Ours
 * @typedef {object} Place where WebAssembly runs
 * @property {string} where
 * @property {(size: Size, threads: number, precision?: 'exact' | 'fast') => Ours | Promise<Ours>} startOurs
 * @property {(threads: number) => Side | Promise<Side>} startLimit
 */

/** @param {Size} size @param {number} seconds */
const gflops = ({ nodes, pairs, samples }, seconds) => (3 * nodes ** 2 * samples * pairs) / seconds / 1e9;

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

/**
 * numpy in a separate process: one measurement per line sent to it.
 * @param {Size} size
 * @param {number} threads
 * @param {NodeJS.ProcessEnv} env additional variables of its environment
 * @returns {Side}
 */
function startNumpy(size, threads, env = {}) {
  const { nodes } = size;
  const child = spawn(python(), ['-c', numpyProgram, ...[nodes, pairs, samples].map(String)], {
    env: { ...process.env, ...env, OPENBLAS_NUM_THREADS: String(threads) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async gflops() {
      child.stdin.write('\n');
      const { value } = await lines.next();
      return gflops(size, Number(value));
    },
    end: () => child.stdin.end(),
  };
}

/** @param {import('playwright').Page} page @param {string} version @returns {Place} */
function inPage(page, version) {
  return {
    where: `Chromium ${version}`,
    async startOurs(size, threads, precision) {
      const ours = await page.evaluateHandle(
        async ({ size, threads, precision }) => {
          const load = (/** @type {string} */ path) => import(path);
          const { startOurs } = await load('/bench/products/measure.mjs');
          return startOurs(await load('/dist/statistics.js'), size, threads, precision);
        },
        { size, threads, precision },
      );
      return {
        seconds: () => ours.evaluate((own) => own.seconds()),
        note: () => ours.evaluate((own) => own.note()),
        end: () => ours.evaluate((own) => own.end()),
      };
    },
    async startLimit(threads) {
      const limit = await page.evaluateHandle(async (threads) => {
        const load = (/** @type {string} */ path) => import(path);
        return (await load('/bench/products/limit.mjs')).startLimit(threads);
      }, threads);
      return {
        gflops: () => limit.evaluate((own) => own.gflops()),
        end: () => limit.evaluate((own) => own.end()),
      };
    },
  };
}

/** @param {Place} place */
async function measure({ where, startOurs, startLimit }) {
  const points = [];
  for (const nodes of numbers(lists.nodes)) {
    const size = { nodes, pairs, samples };
    for (const threads of numbers(lists.threads)) {
      const ours = await startOurs(size, threads);
      const correlations = await Promise.all(
        precisions.map(async (precision) => {
          const own = await startOurs(size, threads, precision);
          // X^T Y is two thirds of the operations of the statistics.
          const rate = async () => (2 / 3) * gflops(size, await own.seconds());
          return /** @type {const} */ ([precision, { gflops: rate, end: () => own.end() }]);
        }),
      );
      const sides = {
        .../** @type {Record<'exact' | 'fast', Side>} those asked for */ (Object.fromEntries(correlations)),
        ours: { gflops: async () => gflops(size, await ours.seconds()), end: () => ours.end() },
        numpy: startNumpy(size, threads),
        numpyAvx2: startNumpy(size, threads, { OPENBLAS_CORETYPE: 'Haswell' }),
        limit128: await startLimit(threads),
      };
      const taken = await inTurns(sides);
      points.push({ where, nodes, threads, ...taken, note: await ours.note() });
      for (const side of Object.values(sides)) await side.end();
    }
  }
  return points;
}

/**
 * The rates of all sides, measured one after the other in each round.
 * @template {string} Name
 * @param {Record<Name, Side>} sides
 */
async function inTurns(sides) {
  const names = /** @type {Name[]} */ (Object.keys(sides));
  const taken = names.map(() => /** @type {number[]} */ ([]));
  // The first run of each side starts workers and thread pools, and warms the compilers.
  for (let repeat = -1; repeat < repeats; repeat++) {
    for (const [at, name] of names.entries()) {
      await pause(REST);
      const rate = await sides[name].gflops();
      if (repeat >= 0) taken[at]?.push(rate);
    }
  }
  const rates = taken.map((all) => ({ median: median(all), best: Math.max(...all) }));
  return /** @type {Record<Name, { median: number, best: number }>} */ (
    Object.fromEntries(names.map((name, at) => [name, rates[at]]))
  );
}

/** @type {Record<string, () => ReturnType<typeof measure>>} */
const places = {
  node: () =>
    measure({
      where: `Node ${process.versions.node}${revectorized ? ', revectorized' : ''}`,
      startOurs: (size, threads, precision) => startOurs(library, size, threads, precision),
      startLimit,
    }),
  chromium: () => withPage((page, browser) => measure(inPage(page, browser.version()))),
};

const points = [];
for (const where of lists.where.split(',')) {
  const place = places[where];
  if (!place) throw new Error(`--where takes node and chromium, not '${where}'.`);
  points.push(...(await place()));
}

writeResult(precisions.length > 0 ? 'products-precision' : 'products-cpu', {
  setup: { pairs, samples, repeats },
  points,
});
console.log(`${machine().cpu}; P = ${pairs}, n = ${samples}, ${repeats} repeats; GFLOP/s, median (best)\n`);
/** @typedef {{ median: number, best: number }} Rate */
/** @param {(of: 'median' | 'best') => string} each */
const both = (each) => `${each('median')} (${each('best')})`;
const rate = (/** @type {Rate} */ side) => both((of) => side[of].toFixed(1));
const ratio = (/** @type {Rate} */ a, /** @type {Rate} */ b) => both((of) => (a[of] / b[of]).toFixed(2));
const share = (/** @type {Rate} */ a, /** @type {Rate} */ b) =>
  both((of) => `${((100 * a[of]) / b[of]).toFixed(0)}%`);
printTable(
  [
    '',
    'N',
    'threads',
    'numpy float64',
    'numpy, AVX2 only',
    '128-bit limit',
    'ours',
    'numpy faster by',
    'numpy, AVX2 only, faster by',
    'ours, of the 128-bit limit',
  ],
  points.map(({ where, nodes, threads, ours, numpy, numpyAvx2, limit128 }) => [
    where,
    nodes,
    threads,
    rate(numpy),
    rate(numpyAvx2),
    rate(limit128),
    rate(ours),
    ratio(numpy, ours),
    ratio(numpyAvx2, ours),
    share(ours, limit128),
  ]),
);
if (precisions.length > 0) {
  console.log('\nfrom magnitudes to plain correlations, counted as 2 N^2 n:\n');
  printTable(
    ['', 'N', 'threads', ...precisions, ...(precisions.length === 2 ? ['second of first'] : [])],
    points.map((point) => {
      const rates = precisions.map((precision) => point[precision]);
      const [first, second] = rates;
      const { where, nodes, threads } = point;
      return [where, nodes, threads, ...rates.map(rate), ...(first && second ? [ratio(second, first)] : [])];
    }),
  );
}
console.log(`\n${points.at(-1)?.note ?? ''}`);
