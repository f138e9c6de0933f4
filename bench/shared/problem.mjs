/** Graphs and noise for measurements, the same in every run. Does not use Node: pages load it as well. */

/** Repeatable numbers in [0, 1). @param {number} seed */
export function generator(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/**
 * `parents` different parents for each target, or all other nodes if there are fewer.
 * @param {number} nodes
 * @param {number} parents
 * @returns {[sources: number[], targets: number[]]}
 */
export function randomEdges(nodes, parents) {
  const random = generator(7);
  /** @type {[number[], number[]]} */
  const edges = [[], []];
  for (let j = 0; j < nodes; j++) {
    const chosen = new Set();
    while (chosen.size < Math.min(parents, nodes - 1)) {
      const i = Math.floor(random() * nodes);
      if (i !== j) chosen.add(i);
    }
    for (const i of chosen) {
      edges[0].push(i);
      edges[1].push(j);
    }
  }
  return edges;
}

/** Samples of a batch. */
const BATCH = 64;

/**
 * Magnitudes in batches: noise, except that one node in fifty shares a signal with the others of its kind, in all
 * layers.
 * @param {number} nodes
 * @param {number} pairs
 * @param {number} samples
 * @returns {Generator<{ size: number, x: Float32Array[], y: Float32Array[] }>}
 */
export function* layersWithSignal(nodes, pairs, samples) {
  const random = generator(7);
  for (let first = 0; first < samples; first += BATCH) {
    const size = Math.min(BATCH, samples - first);
    const shared = Float32Array.from({ length: size }, random);
    const layer = () => {
      const values = Float32Array.from({ length: size * nodes }, random);
      for (let row = 0; row < size; row++) {
        for (let node = 0; node < nodes; node += 50)
          values[row * nodes + node] = (values[row * nodes + node] ?? 0) + (shared[row] ?? 0);
      }
      return values;
    };
    const layers = () => Array.from({ length: pairs }, layer);
    yield { size, x: layers(), y: layers() };
  }
}

/**
 * A graph of function nodes alone.
 * @param {number} nodes
 * @param {[sources: number[], targets: number[]]} edges
 */
export function functionGraph(nodes, edges) {
  /** @type {[number[], number[]]} */
  const none = [[], []];
  return {
    nodeNames: { input: [], function: Array.from({ length: nodes }, (_, i) => `f${i}`), output: [] },
    edgeIndex: { 'input,function': none, 'function,function': edges, 'function,output': none },
  };
}

/**
 * Provenance of the scores in a table of the benchmark.
 *
 * @template {{ score: 'corr' | 'partial', samples: number, backend: 'cpu' | 'webgpu' }} T
 * @param {T} of
 */
export function provenanceOf(of) {
  const layerAgg = /** @type {const} */ ('mean');
  return { layerAgg, reduction: 'l1', usePreNorm: true, ridge: 1e-8, loss: 'mse', ...of };
}
