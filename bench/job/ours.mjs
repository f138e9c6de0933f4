/**
 * Times the built library (dist/) on what bench/job/run.mjs wrote. Prints one JSON object.
 *
 *     node bench/job/ours.mjs evaluate|fit JOB.json
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { batches, edgeTable, GsnnModel, MagnitudeEdgeInferer } from 'magnitude-edge';
import { conditioningSets, createEngine } from 'magnitude-edge/statistics';
import { dawnDevice } from '../shared/dawn.mjs';
import { functionGraph, provenanceOf } from '../shared/problem.mjs';

/**
 * Wall-clock seconds, and CPU seconds of all cores, which are comparable even on a busy machine.
 * @template T
 * @param {() => T | Promise<T>} work
 */
async function timed(work) {
  const start = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { taken: { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }, result };
}

const peakMiB = () => process.resourceUsage().maxRSS / 1024;

/** @typedef {{ nodes: number, pairs: number, samples: number, batch: number, repeats: number, score: 'corr' | 'partial',
 *   x: string, y: string, out: string, edges: [number, number][], backend: 'cpu' | 'webgpu',
 *   model: string, data: string }} Job */

/** Rows `first .. end` of each pair, from a file of float32 `[pairs, samples, nodes]`. @param {Job} job */
function rowsOf(job, /** @type {string} */ file) {
  const bytes = readFileSync(file);
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return (/** @type {number} */ first, /** @type {number} */ end) =>
    Array.from({ length: job.pairs }, (_, p) =>
      all.subarray((p * job.samples + first) * job.nodes, (p * job.samples + end) * job.nodes),
    );
}

/** @param {Job} job */
async function evaluate(job) {
  const { nodes, pairs, samples, batch, score } = job;
  const [x, y] = [rowsOf(job, job.x), rowsOf(job, job.y)];
  const device = job.backend === 'webgpu' ? { device: await dawnDevice() } : {};
  const { engine, release } = await createEngine({ nodes, pairs, backend: job.backend, ...device });
  const accumulate = () =>
    timed(async () => {
      for (let first = 0; first < samples; first += batch) {
        const end = Math.min(first + batch, samples);
        await engine.accumulateMagnitudes({ size: end - first, x: x(first, end), y: y(first, end) });
      }
      await engine.flush();
    });
  /** @type {[number[], number[]]} */
  const functionEdges = [job.edges.map(([source]) => source), job.edges.map(([, target]) => target)];
  const graph = functionGraph(nodes, functionEdges);
  const sets = conditioningSets(functionEdges, nodes);
  const provenance = provenanceOf({ score, samples, backend: engine.diagnostics.backend });
  /** @param {number} ridge */
  const evaluateOnce = (ridge) =>
    timed(async () => {
      const scores = await engine.scores({ score, layerAgg: 'mean', ridge, conditioningSets: sets });
      const table = await edgeTable(scores, graph, sets, provenance);
      scores.release();
      return table;
    });
  /** @type {Record<'accumulate' | 'first' | 'evaluate', { wall: number, cpu: number }[]>} */
  const seconds = { accumulate: [], first: [], evaluate: [] };
  let corr = new Float64Array(0);
  let peak = 0;
  for (let repeat = 0; repeat < job.repeats; repeat++) {
    engine.reset();
    seconds.accumulate.push((await accumulate()).taken);
    // Products are formed on first request: the first table pays for them, the next one does not.
    const { taken: first, result: table } = await evaluateOnce(1e-8);
    seconds.first.push(first);
    // Another ridge, because the engine keeps the scores of the last request. Scores of 'corr' have no ridge, and stay
    // kept.
    const { taken } = await evaluateOnce(1.1e-8);
    seconds.evaluate.push(taken);
    peak = peakMiB();
    corr = new Float64Array(nodes * nodes).fill(NaN);
    const [source, target, value] = ['src_idx', 'dst_idx', 'corr'].map((name) =>
      table.getChild(name)?.toArray(),
    );
    for (let row = 0; row < table.numRows; row++) corr[source[row] * nodes + target[row]] = value[row];
  }
  writeFileSync(job.out, new Uint8Array(corr.buffer));
  const notes = engine.diagnostics.notes;
  await release();
  return { ...seconds, peakMiB: peak, notes };
}

/** @param {Job} job */
async function fit(job) {
  const model = await GsnnModel.load(readFileSync(job.model), { executionProvider: 'wasm' });
  const inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  const data = readFileSync(job.data);
  const run = () => inferer.fit(batches(data, model, { batchSize: job.batch }));
  await run();
  const seconds = [];
  for (let repeat = 0; repeat < job.repeats; repeat++) seconds.push((await timed(run)).taken);
  const peak = peakMiB();
  const { executionProvider, threads } = model.diagnostics;
  await inferer.release();
  await model.release();
  return { fit: seconds, peakMiB: peak, notes: [`${executionProvider}, ${threads} threads`] };
}

const [command, jobFile] = process.argv.slice(2);
const job = JSON.parse(readFileSync(jobFile ?? '', 'utf8'));
console.log(JSON.stringify(await (command === 'fit' ? fit(job) : evaluate(job))));
// Dawn keeps the process alive.
process.exit(0);
