import { effect, signal } from '@preact/signals';
import { isColumnKey, type ColumnKey } from '../edges/row-query.ts';

/** Widths in pixels of columns that the user has resized; the others have defaults. */
export const columnWidths = signal<ReadonlyMap<ColumnKey, number>>(new Map());
export const hiddenColumns = signal<ReadonlySet<ColumnKey>>(new Set());
/** Columns in the order chosen by the user; columns not listed keep their default places. */
export const columnOrder = signal<readonly ColumnKey[]>([]);

const narrowest = 36;
const widest = 4000;
const stored = 'columns';

/** Restores the choices of earlier visits, and saves changes for later ones. */
export function rememberColumns(): void {
  try {
    const read = JSON.parse(localStorage.getItem(stored) ?? '{}') as Record<string, unknown>;
    const keysOf = (list: unknown) =>
      (Array.isArray(list) ? list : []).filter((key): key is ColumnKey => isColumnKey(String(key)));
    hiddenColumns.value = new Set(keysOf(read.hidden));
    columnOrder.value = keysOf(read.order);
    for (const [key, width] of Array.isArray(read.widths) ? (read.widths as [unknown, unknown][]) : [])
      if (isColumnKey(String(key)) && Number(width) <= widest)
        setColumnWidth(key as ColumnKey, Number(width));
  } catch {
    // Storage may be forbidden, or hold something else.
  }
  effect(() => {
    const chosen = {
      hidden: [...hiddenColumns.value],
      order: columnOrder.value,
      widths: [...columnWidths.value],
    };
    try {
      localStorage.setItem(stored, JSON.stringify(chosen));
    } catch {
      // The choice then lasts as long as the page.
    }
  });
}

export function setColumnWidth(key: ColumnKey, width: number): void {
  columnWidths.value = new Map(columnWidths.value).set(key, Math.max(narrowest, Math.round(width)));
}

export function showColumn(key: ColumnKey, shown: boolean): void {
  const hidden = new Set(hiddenColumns.value);
  if (shown) hidden.delete(key);
  else hidden.add(key);
  hiddenColumns.value = hidden;
}

interface HasKey {
  readonly key: ColumnKey;
}

/** All columns in order, hidden ones included. */
export function ordered<C extends HasKey>(columns: readonly C[]): readonly C[] {
  const order = columnOrder.value;
  if (order.length === 0) return columns;
  const place = (key: ColumnKey, natural: number) => {
    const at = order.indexOf(key);
    return at < 0 ? natural : at;
  };
  return columns
    .map((column, natural) => ({ column, at: place(column.key, natural) }))
    .sort((a, b) => a.at - b.at)
    .map(({ column }) => column);
}

/** Moves a column to the place of another one. */
export function moveColumn(columns: readonly HasKey[], key: ColumnKey, to: ColumnKey): void {
  const keys = ordered(columns).map((column) => column.key);
  const target = keys.indexOf(to);
  if (key === to || target < 0) return;
  const others = keys.filter((other) => other !== key);
  columnOrder.value = others.toSpliced(target, 0, key);
}
