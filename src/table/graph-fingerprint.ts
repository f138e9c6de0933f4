import { edgeTypes, nodeTypes, type GsnnGraph } from '../model/graph.ts';

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/**
 * A short identifier of a graph: equal for equal node names (in order) and equal edges (in any order), and different
 * otherwise except for collisions of 64 bits. It tells files apart; it does not protect against forgery.
 *
 * @returns sixteen hexadecimal digits (FNV-1a, 64 bits)
 */
export function graphFingerprint(graph: GsnnGraph): string {
  const content = JSON.stringify([
    nodeTypes.map((type) => graph.nodeNames[type]),
    edgeTypes.map((type) => {
      const [sources, targets] = graph.edgeIndex[type];
      return Array.from(sources, (source, e) => `${source}>${targets[e]!}`).sort();
    }),
  ]);
  let hash = OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(content))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  return hash.toString(16).padStart(16, '0');
}
