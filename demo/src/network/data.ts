import type { EdgeColumns } from '../edges/edge-columns.ts';
import { sortPermutation } from '../edges/sort.ts';
import { forceLayout } from './force.ts';
import { layeredLayout } from './layered.ts';
import type { NetworkData } from './scene.ts';

export interface NetworkRequest {
  /** Inferred edges score at least this. */
  readonly minScore: number;
  readonly layout: 'layers' | 'force';
}

/** Inferred edges drawn at most: more of them tell nothing. */
export const mostInferred = 3000;
const mostKnown = 60_000;

/** The graph's edges and the inferred ones above a threshold, laid out by the graph's edges alone, so that it stays put. */
export class NetworkBuilder {
  readonly #columns: EdgeColumns;
  readonly #layouts = new Map<string, Float32Array>();

  constructor(columns: EdgeColumns) {
    this.#columns = columns;
  }

  build({ minScore, layout }: NetworkRequest, positive: Uint8Array | null): NetworkData {
    const { src, dst, score, hasEdge, names } = this.#columns;
    const known: number[] = [];
    for (let row = 0; row < hasEdge.length && known.length < mostKnown; row++)
      if (hasEdge[row]) known.push(row);
    const inferred: number[] = [];
    for (const row of sortPermutation(score, true)) {
      if (!(score[row]! >= minScore) || inferred.length === mostInferred) break;
      if (!hasEdge[row]) inferred.push(row);
    }
    const rows = [...known, ...inferred];
    return {
      names,
      positions: this.#positions(layout, known),
      edges: Uint32Array.from(rows.flatMap((row) => [src[row]!, dst[row]!])),
      kinds: Uint8Array.from(rows, (row) => (hasEdge[row] ? 0 : positive?.[row] ? 2 : 1)),
      scores: Float32Array.from(rows, (row) => score[row]!),
    };
  }

  #positions(kind: NetworkRequest['layout'], known: readonly number[]): Float32Array {
    let positions = this.#layouts.get(kind);
    if (!positions) {
      const { src, dst, names } = this.#columns;
      const edges = known.map((row) => [src[row]!, dst[row]!] as const);
      positions =
        (kind === 'layers' ? layeredLayout(names.length, edges) : null) ?? forceLayout(names.length, edges);
      this.#layouts.set(kind, positions);
    }
    return positions;
  }
}
