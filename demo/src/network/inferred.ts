import { extentOf, type EdgeColumns } from '../edges/edge-columns.ts';
import { histogram } from '../edges/histogram.ts';
import { bestShown } from '../edges/network-rows.ts';
import type { RowFilter, RowQuery } from '../edges/row-query.ts';

/** Inferred edges that the network shows. */
export interface InferredEdges {
  /** Their rows, best first. */
  readonly rows: Uint32Array;
  /** Lower bound of their scores. */
  readonly threshold: number;
  /** Largest |score| of the table. */
  readonly extent: number;
  /** Histogram of the pairs that are not in the graph, by score: equal bins from 0 to {@link InferredEdges.extent}. */
  readonly counts: Uint32Array;
}

/** Most inferred edges drawn: more would be unreadable. */
export const mostInferred = 3000;
/** Bars of the histogram next to the threshold. */
const bins = 60;

/** The pairs that pass the filters, are not in the graph and score at least `minScore`; null takes the best few. */
export function inferredEdges(
  columns: EdgeColumns,
  query: RowQuery,
  minScore: number | null,
  filter: RowFilter,
): InferredEdges {
  const { score, hasEdge, src, dst } = columns;
  const extent = extentOf(columns);
  const least = Math.max(minScore ?? 0, filter.minScore ?? 0);
  const most = minScore === null ? bestShown : mostInferred;
  const passing =
    filter.edges === 'known'
      ? new Uint32Array(0)
      : query.rows({ column: 'score', descending: true }, { ...filter, edges: 'new', minScore: least });
  const rows = passing.filter((row) => src[row] !== dst[row]).slice(0, most);
  const last = rows.at(-1);
  return {
    rows,
    threshold: minScore ?? (last === undefined ? 0 : score[last]!),
    extent,
    counts: histogram(score, 0, extent || 1, bins, (row) => !hasEdge[row]).counts,
  };
}
