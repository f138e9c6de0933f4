/**
 * Accumulation on the CPU beside OpenBLAS float64: X^T Y and X^T X of the same layer pairs, on as many threads, taken in
 * turns in one run so that both meet the same machine. Needs `npm run build`; numpy as in bench/requirements.txt.
 *
 *     npm run bench -- products                                  # N = 256, 512 and 1024, on 1 and 2 threads, in Node
 *     npm run bench -- products --where chromium                 # in a page of headless Chromium, cross-origin isolated
 *     npm run bench -- products --where node,chromium --nodes 2000 --repeats 9
 *
 * Both are counted as 3 N^2 n operations: 2 N^2 n for X^T Y, N^2 n for the triangle of X^T X (numpy uses syrk).
 * Ours starts from float32 magnitudes and ends with the statistics on the host: copies to the workers, pivots, packing,
 * and the copy of the sums are in it. numpy's starts from float64 and ends with the products.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import * as library from 'magnitude-edge/statistics';
import { withPage } from '../shared/chromium-page.mjs';
import { readOptions } from '../shared/options.mjs';
import { python } from '../shared/python.mjs';
import { median } from '../shared/median.mjs';
import { machine, numbers, printTable, writeResult } from '../shared/report.mjs';
import { startOurs } from './measure.mjs';

const { pairs, samples, repeats, ...lists } = readOptions({
  nodes: '256,512,1024',
  pairs: 2,
  samples: 1024,
  repeats: 15,
  threads: '1,2',
  where: 'node',
});

/** @typedef {import('./measure.mjs').Size} Size */
/**
 * One side that lives on between its runs.
 * @typedef {{ seconds: () => Promise<number>, end: () => unknown }} Side
 * @typedef {Side & { note: () => string | Promise<string> }} Ours
 * @typedef {(size: Size, threads: number) => Ours | Promise<Ours>} StartOurs
 */

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

/** numpy in a process of its own: one measurement per line that it is sent. @returns {Side} */
function startNumpy(/** @type {Size} */ { nodes }, /** @type {number} */ threads) {
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

/** @param {import('playwright').Page} page @returns {StartOurs} */
function inPage(page) {
  return async (size, threads) => {
    const ours = await page.evaluateHandle(
      async ({ size, threads }) => {
        const load = (/** @type {string} */ path) => import(path);
        const { startOurs } = await load('/bench/products/measure.mjs');
        return startOurs(await load('/dist/statistics.js'), size, threads);
      },
      { size, threads },
    );
    return {
      seconds: () => ours.evaluate((own) => own.seconds()),
      note: () => ours.evaluate((own) => own.note()),
      end: () => ours.evaluate((own) => own.end()),
    };
  };
}

/** @param {string} where @param {StartOurs} start */
async function measure(where, start) {
  const points = [];
  for (const nodes of numbers(lists.nodes)) {
    const size = { nodes, pairs, samples };
    const gflops = (/** @type {number} */ seconds) => (3 * nodes ** 2 * samples * pairs) / seconds / 1e9;
    for (const threads of numbers(lists.threads)) {
      const [ours, numpy] = [await start(size, threads), startNumpy(size, threads)];
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
        where,
        nodes,
        threads,
        ours: rates(taken.ours),
        numpy: rates(taken.numpy),
        note: await ours.note(),
      });
      numpy.end();
      await ours.end();
    }
  }
  return points;
}

/** @type {Record<string, () => ReturnType<typeof measure>>} */
const places = {
  node: () => measure(`Node ${process.versions.node}`, (size, threads) => startOurs(library, size, threads)),
  chromium: () => withPage((page, browser) => measure(`Chromium ${browser.version()}`, inPage(page))),
};

const points = [];
for (const where of lists.where.split(',')) {
  const place = places[where];
  if (!place) throw new Error(`--where takes node and chromium, not '${where}'.`);
  points.push(...(await place()));
}

writeResult('products-cpu', { setup: { pairs, samples, repeats }, points });
console.log(`${machine().cpu}; P = ${pairs}, n = ${samples}, ${repeats} repeats; GFLOP/s, median (best)\n`);
printTable(
  ['', 'N', 'threads', 'numpy float64', 'ours', 'numpy faster by'],
  points.map(({ where, nodes, threads, ours, numpy }) => [
    where,
    nodes,
    threads,
    `${numpy.median.toFixed(1)} (${numpy.best.toFixed(1)})`,
    `${ours.median.toFixed(1)} (${ours.best.toFixed(1)})`,
    `${(numpy.median / ours.median).toFixed(2)} (${(numpy.best / ours.best).toFixed(2)})`,
  ]),
);
console.log(`\n${points.at(-1)?.note ?? ''}`);
