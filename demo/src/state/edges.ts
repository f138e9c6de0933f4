import { batch, computed, signal } from '@preact/signals';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { PairIndex } from '../edges/pair-index.ts';
import { noFilter, type RowFilter, type Sort } from '../edges/row-query.ts';
import { identityOf, type Provenance } from '../results/provenance.ts';
import { clearSelection, knownNames } from './selection.ts';

/** A table and its provenance. */
export interface Result {
  /** The number of the table in its worker. */
  readonly table: number;
  readonly columns: EdgeColumns;
  readonly provenance: Provenance;
}

/** The result shown; null before the first scores, and if the last run gave none. */
export const result = signal<Result | null>(null);
/** Why there is no table, if there is something to say about it. */
export const noResult = signal<string | null>(null);

/** The table shown. */
export const edges = computed<EdgeColumns | null>(() => result.value?.columns ?? null);
/** The number of that table, to detect answers computed for an older one; 0 without a table. */
export const edgesVersion = computed(() => result.value?.table ?? 0);
/** The number of the complete scores of this table that the fit's worker holds on its GPU; null if there are none. */
export const scoresOnGpu = signal<number | null>(null);
/** Row numbers shown, in order. */
export const rows = signal<Uint32Array>(new Uint32Array(0));

export const sort = signal<Sort>({ column: 'score', descending: true });
export const filter = signal<RowFilter>(noFilter);

/** 1 at the rows that pass search and filters; null if all do. Views derive from it what to dim. */
export const passing = computed<Uint8Array | null>(() => {
  const [table, shown] = [edges.value, rows.value];
  if (!table || shown.length >= table.rows) return null;
  const passes = new Uint8Array(table.rows);
  for (const row of shown) passes[row] = 1;
  return passes;
});

/** Shows a table and all that belongs to it in one update. The selection stays if it is about the same nodes. */
export function showResult(shown: Result, order: Uint32Array, onGpu: number | null): void {
  batch(() => {
    const before = result.peek();
    if (before && identityOf(before.provenance) !== identityOf(shown.provenance)) clearSelection();
    result.value = shown;
    noResult.value = null;
    scoresOnGpu.value = onGpu;
    rows.value = order;
    knownNames.value = shown.columns.names;
  });
}

/** Removes the table, which would be mistaken for results of a run without scores; `why` is shown in its place. */
export function showNoResult(why: string | null): void {
  batch(() => {
    clearSelection();
    result.value = null;
    noResult.value = why;
    scoresOnGpu.value = null;
    rows.value = new Uint32Array(0);
    knownNames.value = [];
  });
}

/** Row of each pair, for views that start from a pair. */
export const rowOfPair = computed(() => {
  const table = edges.value;
  return table ? pairRows(table) : () => -1;
});

/** Maps a pair of node numbers to its row in one table; -1 if there is none. */
export function pairRows(table: EdgeColumns): (source: number, target: number) => number {
  // Built on first use: a session may never need it.
  let index: PairIndex | null = null;
  return (source, target) => (index ??= new PairIndex(table)).rowOf(source, target);
}
