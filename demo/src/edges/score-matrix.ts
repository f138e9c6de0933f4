import type { EdgeColumns } from './edge-columns.ts';

/** The table as a square: `[source, target]` row-major, NaN if the table has no row or no score. */
export interface ScoreMatrix {
  readonly nodes: number;
  readonly scores: Float32Array;
  /** 1 if the graph has the edge. */
  readonly edges: Uint8Array;
  /** Whether scores have a sign; unsigned scores span orders of magnitude and are drawn by their square roots. */
  readonly isSigned: boolean;
  /** Largest |score|, 0 without scores. */
  readonly extent: number;
}

/** Most nodes for which a square is laid out: 10,000 nodes take 500 MB. */
export const largestMatrix = 12_000;

export function matrixFromColumns(columns: EdgeColumns): ScoreMatrix {
  const nodes = columns.names.length;
  const scores = new Float32Array(nodes * nodes).fill(Number.NaN);
  const edges = new Uint8Array(nodes * nodes);
  let extent = 0;
  for (let row = 0; row < columns.rows; row++) {
    const cell = columns.src[row]! * nodes + columns.dst[row]!;
    const score = columns.score[row]!;
    scores[cell] = score;
    edges[cell] = columns.hasEdge[row]!;
    if (Math.abs(score) > extent) extent = Math.abs(score);
  }
  return { nodes, scores, edges, isSigned: columns.isSigned, extent };
}
