import { signal } from '@preact/signals';
import type { ColumnKey } from '../edges/row-query.ts';

/** Widths in pixels of columns that somebody has dragged; the others have their own. */
export const columnWidths = signal<ReadonlyMap<ColumnKey, number>>(new Map());

const narrowest = 36;

export function setColumnWidth(key: ColumnKey, width: number): void {
  columnWidths.value = new Map(columnWidths.value).set(key, Math.max(narrowest, Math.round(width)));
}
