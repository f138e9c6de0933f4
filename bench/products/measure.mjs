/** Accumulation by the library. Knows nothing of Node: pages load it as well. */

const BATCH = 256;

/**
 * @typedef {object} Size
 * @property {number} nodes N
 * @property {number} pairs P
 * @property {number} samples n
 */

/**
 * An engine, and what one run of it takes.
 * @param {typeof import('../../src/statistics.ts')} library
 * @param {Size} size
 * @param {number} threads 1: without workers
 */
export function startOurs({ createCpuEngine }, { nodes, pairs, samples }, threads) {
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
