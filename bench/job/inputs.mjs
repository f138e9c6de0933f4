/** Magnitudes and edges for measurements: the same numbers in every run. */
import { writeFileSync } from 'node:fs';
import { generator, randomEdges as edgeIndex } from '../shared/problem.mjs';

/** @typedef {{ nodes: number, pairs: number, samples: number, parents: number }} Size */

/**
 * Magnitudes `[pairs, samples, nodes]` in two files: x is around 2 with a common part per sample, so that correlations
 * are neither all zero nor all one; y of each node follows one x.
 * @param {string} folder
 * @param {Size} size
 */
export function writeMagnitudes(folder, { nodes, pairs, samples }) {
  const random = generator(20261123);
  const x = new Float32Array(pairs * samples * nodes);
  const y = new Float32Array(x.length);
  for (let row = 0; row < pairs * samples; row++) {
    const common = random();
    for (let i = 0; i < nodes; i++) x[row * nodes + i] = 2 + random() + 0.5 * common;
    for (let j = 0; j < nodes; j++) {
      y[row * nodes + j] = random() + 0.5 * Number(x[row * nodes + ((j * 7 + 3) % nodes)]) + 0.2 * common;
    }
  }
  const files = { x: `${folder}/x.f32`, y: `${folder}/y.f32` };
  writeFileSync(files.x, new Uint8Array(x.buffer));
  writeFileSync(files.y, new Uint8Array(y.buffer));
  return files;
}

/** `parents` different parents for each target. @param {Size} size @returns {[source: number, target: number][]} */
export function randomEdges({ nodes, parents }) {
  const [sources, targets] = edgeIndex(nodes, parents);
  return sources.map((source, edge) => [source, targets[edge] ?? NaN]);
}
