/**
 * A graph too large for N x N sums, on the CPU: scores, the table's first rows and those up to a q, an edge added, and
 * another aggregation; for each the time, the CPU time of all cores, the peak memory of the whole process with its
 * workers, and the longest time that the calling thread was blocked. One process per score. Takes minutes. Needs
 * `npm run build`.
 *
 *     npm run bench -- large                                # N = 10,000, P = 4, n = 512, 8 parents, both scores
 *     npm run bench -- large --samples 2048 --score corr
 *     npm run bench -- large --nodes 6000 --batches yes     # and all rows as batches, which are discarded
 *     npm run bench -- large --pairs 2 --samples 200 --score corr --out edges.parquet   # all 1e8 rows, for readers.py
 *
 * One node in fifty shares a signal with the others of its kind in all layers; the rest is noise.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { edgeTable, edgeTableBatches, encodeBatches } from 'magnitude-edge';
import { conditioningSets, createCpuEngine } from 'magnitude-edge/statistics';
import { watchThread } from '../shared/held-thread.mjs';
import { readOptions } from '../shared/options.mjs';
import { functionGraph, layersWithSignal, provenanceOf, randomEdges } from '../shared/problem.mjs';

const options = readOptions({
  nodes: 10_000,
  pairs: 4,
  samples: 512,
  parents: 8,
  workers: 2,
  score: 'both',
  batches: 'no',
  /** A Parquet file of all rows */
  out: '',
});

if (options.score === 'both') {
  for (const score of ['corr', 'partial']) {
    const script = fileURLToPath(import.meta.url);
    const own = [...process.execArgv, script, ...process.argv.slice(2), '--score', score];
    const { status } = spawnSync(process.execPath, own, { stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
} else {
  await measure(/** @type {'corr' | 'partial'} */ (options.score));
}

/** @param {'corr' | 'partial'} score */
async function measure(score) {
  const { nodes, pairs, samples, parents, workers } = options;
  const edges = randomEdges(nodes, parents);
  console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} threads, Node ${process.version}`);
  console.log(
    `load ${loadavg()[0]?.toFixed(1)} when started; ${score}, N = ${nodes}, P = ${pairs}, n = ${samples}, ` +
      `${parents} parents per target`,
  );
  const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers });
  await step('made and kept', async () => {
    for (const batch of layersWithSignal(nodes, pairs, samples)) {
      await engine.accumulateMagnitudes(batch);
    }
    await engine.flush();
  });
  console.log(engine.diagnostics.notes.join('; '));
  const request = {
    score,
    layerAgg: /** @type {'mean' | 'max'} */ ('mean'),
    ridge: 1e-8,
    conditioningSets: conditioningSets(edges, nodes),
  };
  const graph = functionGraph(nodes, edges);
  const provenance = provenanceOf({ score, samples, backend: 'cpu' });
  for (const layerAgg of /** @type {const} */ (['mean', 'max'])) {
    const scores = await step(`${score}, ${layerAgg}`, () => engine.scores({ ...request, layerAgg }));
    const table = (/** @type {import('magnitude-edge').EdgeTableOptions} */ rows) =>
      edgeTable(scores, graph, request.conditioningSets, { ...provenance, layerAgg }, rows);
    await step('table, top = 1000', () => table({ top: 1000 }));
    await step('table, top = 1000, candidates', () => table({ top: 1000, candidatesOnly: true }));
    await step('table, maxQ = 0.05', () => table({ maxQ: 0.05 }));
    if (options.batches === 'yes' && layerAgg === 'mean') {
      await step('all rows as batches', async () => {
        let numRows = 0;
        const all = edgeTableBatches(scores, graph, request.conditioningSets, provenance);
        for await (const batch of all) numRows += batch.numRows;
        return { numRows };
      });
    }
    if (options.out !== '' && layerAgg === 'mean') {
      await step(`all rows to ${options.out}`, () =>
        writeAll(edgeTableBatches(scores, graph, request.conditioningSets, provenance), options.out),
      );
    }
    scores.release();
    if (score === 'corr') continue;
    /** @type {[number[], number[]]} */
    const edited = [
      [...edges[0], 5],
      [...edges[1], 17],
    ];
    const sets = conditioningSets(edited, nodes);
    const again = await step('an edge added', () =>
      engine.scores({ ...request, layerAgg, conditioningSets: sets }),
    );
    again.release();
  }
  await engine.release();
}

/**
 * @param {ReturnType<typeof edgeTableBatches>} batches
 * @param {string} path
 */
async function writeAll(batches, path) {
  const file = openSync(path, 'w');
  let numRows = 0;
  const counted = async function* () {
    for await (const batch of batches) {
      const before = Math.floor(numRows / 1e7);
      numRows += batch.numRows;
      const MiB = (process.memoryUsage().rss / 2 ** 20).toFixed(0);
      if (Math.floor(numRows / 1e7) > before) console.log(`  ${numRows} rows, ${MiB} MiB resident`);
      yield batch;
    }
  };
  for await (const piece of encodeBatches(counted(), 'parquet')) writeSync(file, piece);
  closeSync(file);
  return { numRows };
}

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function step(name, work) {
  const thread = watchThread();
  const began = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  const held = thread.stop();
  const seconds = (performance.now() - began) / 1000;
  const { numRows, scoredTargets } = /** @type {{ numRows?: number, scoredTargets?: number }} */ (
    result ?? {}
  );
  const what =
    numRows !== undefined
      ? ` (${numRows} rows)`
      : scoredTargets !== undefined
        ? ` (${scoredTargets} targets)`
        : '';
  console.log(
    `${name}${what}: ${seconds.toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of all cores; peak ` +
      `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB, now ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)}; ` +
      `this thread held for ${held.toFixed(0)} ms at most`,
  );
  return result;
}
