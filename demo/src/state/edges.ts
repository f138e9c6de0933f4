import { computed, signal } from '@preact/signals';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { PairIndex } from '../edges/pair-index.ts';
import { noFilter, type RowFilter, type Sort } from '../edges/row-query.ts';

/** The table on show; null before the first scores. */
export const edges = signal<EdgeColumns | null>(null);
/** The fit's worker holds the scores of this table, all of them, on its GPU. */
export const scoresOnGpu = signal(false);
/** Counts tables, so that what was computed for an older one can be told apart. */
export const edgesVersion = signal(0);
/** Row numbers on show, in order. */
export const rows = signal<Uint32Array>(new Uint32Array(0));

export const sort = signal<Sort>({ column: 'score', descending: true });
export const filter = signal<RowFilter>(noFilter);

/** Row of each pair, for views that come from a pair to its numbers. */
export const rowOfPair = computed(() => {
  const table = edges.value;
  if (!table) return () => -1;
  // Built when first asked: a session may never need it.
  let index: PairIndex | null = null;
  return (source: number, target: number): number => (index ??= new PairIndex(table)).rowOf(source, target);
});
