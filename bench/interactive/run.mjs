/**
 * Waiting times of a user who inspects a fit and edits its graph: scores anew, another ridge or aggregation, an edge
 * added or removed, the first rows of the table. Medians of the built library's CPU engine.
 *
 *     npm run bench -- interactive                           # N = 1000, P = 4, n = 2048, 8 parents
 *     npm run bench -- interactive --nodes 2000 --repeats 15 --workers 1
 */
import { performance } from 'node:perf_hooks';
import { edgeTable } from 'magnitude-edge';
import { conditioningSets, createCpuEngine } from 'magnitude-edge/statistics';
import { median } from '../shared/median.mjs';
import { readOptions } from '../shared/options.mjs';
import { functionGraph, generator, provenanceOf, randomEdges } from '../shared/problem.mjs';
import { printTable, seconds, writeResult } from '../shared/report.mjs';

const setup = readOptions({ nodes: 1000, pairs: 4, samples: 2048, parents: 8, repeats: 7, workers: 2 });
const { nodes, pairs, samples, parents, repeats, workers } = setup;

const random = generator(20261125);
const matrix = (/** @type {number} */ rows) =>
  Float32Array.from({ length: rows * nodes }, () => 2 + random());

const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers });
for (let done = 0; done < samples; done += 128) {
  const size = Math.min(128, samples - done);
  const all = () => Array.from({ length: pairs }, () => matrix(size));
  await engine.accumulateMagnitudes({ size, x: all(), y: all() });
}
await engine.flush();

const edges = randomEdges(nodes, parents);
const setsWithout = (/** @type {number} */ edge) =>
  conditioningSets([edges[0].toSpliced(edge, 1), edges[1].toSpliced(edge, 1)], nodes);
const sets = conditioningSets(edges, nodes);
const graph = functionGraph(nodes, edges);
const request = /** @type {const} */ ({ score: 'partial', layerAgg: 'mean', ridge: 1e-8 });
const provenance = provenanceOf({ score: 'partial', samples, backend: 'cpu' });

/** @type {{ what: string, seconds: number }[]} */
const steps = [];

/** @param {string} what @param {(repeat: number) => Promise<unknown>} work */
async function measure(what, work, times = repeats) {
  const taken = [];
  for (let repeat = 0; repeat < times; repeat++) {
    const start = performance.now();
    await work(repeat);
    taken.push((performance.now() - start) / 1000);
  }
  steps.push({ what, seconds: median(taken) });
}

/** @param {Partial<import('../../src/scoring/score-matrices.ts').ScoreRequest>} changes */
async function scored(changes) {
  const scores = await engine.scores({ ...request, conditioningSets: sets, ...changes });
  scores.release();
}

await measure('the first scores, products formed if need be', () => scored({ ridge: 0 }), 1);
await measure('another ridge: all targets', (repeat) => scored({ ridge: 1e-6 * (repeat + 1) }));
await scored({});
await measure('another aggregation', (repeat) => scored({ layerAgg: repeat % 2 === 0 ? 'max' : 'mean' }));
await scored({});
await measure('an edge removed, or another instead', (repeat) =>
  scored({ conditioningSets: setsWithout(repeat) }),
);
const scores = await engine.scores({ ...request, conditioningSets: sets });
const table = (/** @type {object} */ options) =>
  edgeTable(scores, /** @type {any} */ (graph), sets, provenance, options);
await measure('table, the first 100 candidates', () => table({ top: 100, candidatesOnly: true }));
await measure('table, q up to 0.05', () => table({ maxQ: 0.05 }));
await measure('table, all rows', () => table({}));
scores.release();
await engine.release();

writeResult('interactive-cpu', { setup, steps });
console.log(`N = ${nodes}, P = ${pairs}, n = ${samples}, ${parents} parents, ${workers} workers\n`);
printTable(
  ['what', 'median'],
  steps.map((step) => [step.what, seconds(step.seconds)]),
);
