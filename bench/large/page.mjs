/** What bench/large/webgpu.mjs runs in a page: bundled with the library's sources. */
import { createCpuEngine } from '../../src/engine/cpu/cpu-engine.ts';
import { createWebGpuEngine } from '../../src/engine/webgpu/webgpu-engine.ts';
import { conditioningSets } from '../../src/scoring/conditioning-sets.ts';
import { edgeTable } from '../../src/table/edge-table.ts';
import { watchThread } from '../shared/held-thread.mjs';
import { functionGraph, layersWithSignal, provenanceOf, randomEdges } from '../shared/problem.mjs';

/**
 * @typedef {{ backend: 'webgpu' | 'cpu', nodes: number, pairs: number, samples: number, parents: number, precision: 'exact' | 'fast',
 *   scores: readonly ('corr' | 'partial')[], memoryBytes: number | undefined }} Setting
 * @typedef {{ seconds: number, heldMs: number }} Taken wall-clock time; longest time that the page's thread was blocked
 */

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<{ taken: Taken, result: T }>}
 */
async function timed(name, work) {
  const start = performance.now();
  const thread = watchThread();
  const result = await work();
  const heldMs = thread.stop();
  const seconds = (performance.now() - start) / 1000;
  console.log(`${name}: ${seconds.toFixed(1)} s, held ${heldMs.toFixed(0)} ms`);
  return { taken: { seconds, heldMs }, result };
}

/**
 * The engine to measure; `settled` resolves once it is idle.
 * @param {Setting} setting
 */
async function openEngine({ backend, nodes, pairs, precision, memoryBytes }) {
  const shape = { nodes, pairs, reduction: /** @type {const} */ ('l1') };
  if (backend === 'cpu') {
    const engine = createCpuEngine(shape, { memory: memoryBytes });
    return {
      engine,
      adapter: `${navigator.hardwareConcurrency} threads`,
      settled: () => Promise.resolve(),
      close: () => engine.release(),
    };
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('Chromium has no WebGPU adapter here.');
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
  const engine = await createWebGpuEngine({ device, shape, precision, memoryBytes });
  const { vendor, architecture } = adapter.info;
  return {
    engine,
    adapter: `${vendor} ${architecture}`.trim(),
    settled: () => device.queue.onSubmittedWorkDone(),
    close: async () => {
      await engine.release();
      device.destroy();
    },
  };
}

/** @param {Setting} setting */
export async function measureLarge(setting) {
  const { backend, nodes, pairs, samples, parents, scores: wanted } = setting;
  const edges = randomEdges(nodes, parents);
  const sets = conditioningSets(edges, nodes);
  const graph = functionGraph(nodes, edges);
  const { engine, adapter, settled, close } = await openEngine(setting);
  const { taken: accumulate } = await timed('magnitudes', async () => {
    for (const batch of layersWithSignal(nodes, pairs, samples)) await engine.accumulateMagnitudes(batch);
    await engine.flush();
  });
  const rows = [];
  for (const score of wanted) {
    const request = { score, layerAgg: /** @type {const} */ ('mean'), ridge: 1e-8, conditioningSets: sets };
    const { taken: scored, result: scores } = await timed(score, async () => {
      const held = await engine.scores(request);
      await settled();
      return held;
    });
    const provenance = provenanceOf({ score, samples, backend });
    const { taken: table, result: first } = await timed('first 1,000 rows', () =>
      edgeTable(scores, graph, sets, provenance, { top: 1000, candidatesOnly: true }),
    );
    scores.release();
    rows.push({ score, scored, table, rows: first.numRows, best: first.getChild('corr')?.get(0) });
  }
  const { notes } = engine.diagnostics;
  await close();
  return { adapter, notes, accumulate, rows };
}
