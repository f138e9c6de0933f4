import { extentOf, type EdgeColumns } from '../edges/edge-columns.ts';
import { histogram } from '../edges/histogram.ts';
import { sortPermutation } from '../edges/sort.ts';
import { forceLayout } from './force.ts';
import { layeredLayout } from './layered.ts';
import type { NetworkData } from './scene.ts';

export interface NetworkRequest {
  /** Inferred edges score at least this; null for the {@link bestShown} best. */
  readonly minScore: number | null;
  readonly layout: 'layers' | 'force';
}

/** Inferred edges drawn at most: more of them tell nothing. */
export const mostInferred = 3000;
/** Inferred edges drawn where nobody has said how strong they must be. */
export const bestShown = 50;
/** Bars of the histogram beside the threshold. */
const bins = 60;
const mostKnown = 60_000;

/** The graph's edges and the inferred ones above a threshold, laid out by the graph's edges alone, so that it stays put. */
export class NetworkBuilder {
  readonly #columns: EdgeColumns;
  readonly #layouts = new Map<string, Pick<NetworkData, 'layout' | 'positions'>>();
  #byScore: Uint32Array | null = null;
  #counts: Uint32Array | null = null;

  constructor(columns: EdgeColumns) {
    this.#columns = columns;
  }

  build({ minScore, layout }: NetworkRequest, positive: Uint8Array | null): NetworkData {
    const { src, dst, score, hasEdge, names } = this.#columns;
    const known: number[] = [];
    for (let row = 0; row < hasEdge.length && known.length < mostKnown; row++)
      if (hasEdge[row]) known.push(row);
    const inferred: number[] = [];
    const [least, most] = minScore === null ? [0, bestShown] : [minScore, mostInferred];
    for (const row of (this.#byScore ??= sortPermutation(score, true))) {
      if (!(score[row]! >= least) || inferred.length === most) break;
      if (!hasEdge[row]) inferred.push(row);
    }
    const extent = extentOf(this.#columns);
    const last = inferred.at(-1);
    const rows = [...known, ...inferred];
    return {
      names,
      ...this.#placed(layout, known),
      edges: Uint32Array.from(rows.flatMap((row) => [src[row]!, dst[row]!])),
      kinds: Uint8Array.from(rows, (row) => (hasEdge[row] ? 0 : positive?.[row] ? 2 : 1)),
      scores: Float32Array.from(rows, (row) => score[row]!),
      threshold: minScore ?? (last === undefined ? 0 : score[last]!),
      extent,
      counts: (this.#counts ??= histogram(score, 0, extent || 1, bins, (row) => !hasEdge[row]).counts),
    };
  }

  #placed(asked: NetworkRequest['layout'], known: readonly number[]) {
    let placed = this.#layouts.get(asked);
    if (!placed) {
      const { src, dst, names } = this.#columns;
      const edges = known.map((row) => [src[row]!, dst[row]!] as const);
      const inLayers = asked === 'layers' ? layeredLayout(names.length, edges) : null;
      placed = inLayers
        ? { layout: 'layers', positions: inLayers }
        : { layout: 'force', positions: forceLayout(names.length, edges) };
      this.#layouts.set(asked, placed);
    }
    return placed;
  }
}
