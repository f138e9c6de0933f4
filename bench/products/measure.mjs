/** Accumulation by the library. Does not use Node: pages load it as well. */

const BATCH = 256;

/**
 * @typedef {object} Size
 * @property {number} nodes N
 * @property {number} pairs P
 * @property {number} samples n
 */

/**
 * An engine, and a function that times one run of it: up to the statistics, or up to plain correlations.
 * @param {typeof import('../../src/statistics.ts')} library
 * @param {Size} size
 * @param {number} threads 1: without workers
 * @param {'exact' | 'fast'} [precision] of plain correlations; absent for the statistics
 */
export function startOurs(
  { createCpuEngine, raggedFromLists },
  { nodes, pairs, samples },
  threads,
  precision,
) {
  const workers = threads === 1 ? 0 : threads;
  const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers, precision });
  const conditioningSets = raggedFromLists(Array.from({ length: nodes }, () => []));
  const request = /** @type {const} */ ({ score: 'corr', layerAgg: 'mean', ridge: 0, conditioningSets });
  const layers = () =>
    Array.from({ length: pairs }, () => Float32Array.from({ length: BATCH * nodes }, Math.random));
  const batch = { size: BATCH, x: layers(), y: layers() };
  return {
    async seconds() {
      engine.reset();
      const start = performance.now();
      for (let done = 0; done < samples; done += BATCH) await engine.accumulateMagnitudes(batch);
      // Products may be deferred until something needs them.
      if (precision === undefined) await engine.statistics();
      else (await engine.scores(request)).release();
      return (performance.now() - start) / 1000;
    },
    note: () => engine.diagnostics.notes.join('; '),
    end: () => engine.release(),
  };
}
