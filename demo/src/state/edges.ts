import { batch, computed, signal } from '@preact/signals';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { PairIndex } from '../edges/pair-index.ts';
import { noFilter, type RowFilter, type Sort } from '../edges/row-query.ts';
import { identityOf, type Provenance } from '../results/provenance.ts';
import { clearSelection, knownNames } from './selection.ts';

/** A table with what it was computed from. */
export interface Result {
  /** The number of the table in its worker. */
  readonly table: number;
  readonly columns: EdgeColumns;
  readonly provenance: Provenance;
}

/** What is on show; null before the first scores, and where the last run gave none. */
export const result = signal<Result | null>(null);
/** Why there is no table, where there is something to say about it. */
export const noResult = signal<string | null>(null);

/** The table on show. */
export const edges = computed<EdgeColumns | null>(() => result.value?.columns ?? null);
/** The number of that table, so that what was computed for an older one can be told apart; 0 without one. */
export const edgesVersion = computed(() => result.value?.table ?? 0);
/** The number of the scores of this table, all of them, that the fit's worker holds on its GPU; else null. */
export const scoresOnGpu = signal<number | null>(null);
/** Row numbers on show, in order. */
export const rows = signal<Uint32Array>(new Uint32Array(0));

export const sort = signal<Sort>({ column: 'score', descending: true });
export const filter = signal<RowFilter>(noFilter);

/** 1 at the rows that pass search and filters; null where all do. What every view shows as the rest follows from it. */
export const passing = computed<Uint8Array | null>(() => {
  const [table, shown] = [edges.value, rows.value];
  if (!table || shown.length >= table.rows) return null;
  const passes = new Uint8Array(table.rows);
  for (const row of shown) passes[row] = 1;
  return passes;
});

/** Puts a table on show, all that belongs to it at once. A selection stays where it is about the same nodes. */
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

/** Takes the table off: what it would be taken for has no scores, and this is why. */
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

/** Row of each pair, for views that come from a pair to its numbers. */
export const rowOfPair = computed(() => {
  const table = edges.value;
  return table ? pairRows(table) : () => -1;
});

/** From a pair of node numbers to its row in one table, -1 where it has none. */
export function pairRows(table: EdgeColumns): (source: number, target: number) => number {
  // Built when first asked: a session may never need it.
  let index: PairIndex | null = null;
  return (source, target) => (index ??= new PairIndex(table)).rowOf(source, target);
}
