/** Graphs and noise to measure with, the same in every run. Knows nothing of Node: pages load it as well. */

/** Repeatable numbers in [0, 1). @param {number} seed */
export function generator(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/**
 * `parents` different parents for each target, all others where there are not as many.
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
