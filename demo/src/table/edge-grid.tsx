import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import type { ColumnKey, Sort, SortKey } from '../edges/row-query.ts';
import { rowOfPair, rows, sort } from '../state/edges.ts';
import { labelsOf } from '../names/labels.ts';
import {
  columnOrder,
  columnWidths,
  hiddenColumns,
  moveColumn,
  ordered,
  setColumnWidth,
} from '../state/columns.ts';
import { positiveRows } from '../state/positives.ts';
import { hover, hovered, hoverNothing } from '../state/hover.ts';
import { selection, selectPair } from '../state/selection.ts';
import { columnsOf, type Column } from './columns.tsx';
import { ScrollMap } from './scroll-map.ts';

/** The table named `Edges`: only rows inside the window are rendered, however many there are. */
export function EdgeGrid({ table }: { readonly table: EdgeColumns }) {
  const scroller = useRef<HTMLDivElement>(null);
  const scroll = useMemo(() => new ScrollMap(), []);
  const [frame, setFrame] = useState({ height: 0, rowHeight: 24 });
  const [, repaint] = useState(0);
  const widths = columnWidths.value;
  const columns = useMemo(
    () =>
      ordered(columnsOf(table, positiveRows.value))
        .filter(({ key }) => !hiddenColumns.value.has(key))
        .map((column) => withWidth(column, widths.get(column.key))),
    [table, positiveRows.value, widths, hiddenColumns.value, columnOrder.value],
  );
  const order = rows.value;
  const { height, rowHeight } = frame;

  useLayoutEffect(() => {
    const element = scroller.current!;
    const measure = () => {
      const styled = Number.parseFloat(getComputedStyle(element).getPropertyValue('--row'));
      setFrame({ height: Math.max(0, element.clientHeight - (styled || 24)), rowHeight: styled || 24 });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => {
      observer.disconnect();
    };
  }, []);

  const tall = scroll.resize(order.length * rowHeight, height);
  const first = Math.max(0, Math.floor(scroll.offset / rowHeight) - 1);
  const last = Math.min(order.length, Math.ceil((scroll.offset + height) / rowHeight) + 1);

  const place = useMemo(() => placeOf(table, order), [table, order, selection.value]);
  const show = (at: number) => {
    const top = at * rowHeight;
    const bottom = top + rowHeight - height;
    if (top < scroll.offset) scroller.current!.scrollTop = scroll.moveTo(top);
    else if (bottom > scroll.offset) scroller.current!.scrollTop = scroll.moveTo(bottom);
    repaint((n) => n + 1);
  };
  // Scrolls to what is selected elsewhere.
  useEffect(() => {
    if (place >= 0 && height > 0) show(place);
  }, [selection.value, height > 0]);
  // A new order starts at its top.
  useEffect(() => {
    if (scroller.current) scroller.current.scrollTop = scroll.moveTo(0);
    repaint((n) => n + 1);
  }, [sort.value]);

  const select = (at: number) => {
    const row = order[Math.min(Math.max(at, 0), order.length - 1)];
    if (row !== undefined) selectPair(table, table.src[row]!, table.dst[row]!);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const target = keyTarget(event.key, place, page, order.length);
    if (target === null || event.target instanceof HTMLButtonElement) return;
    event.preventDefault();
    select(target);
  };

  const lit = litRow(table);
  const visible = [];
  for (let at = first; at < last; at++) {
    const row = order[at]!;
    if (row >= table.rows) continue;
    visible.push(
      <div
        key={at}
        role="row"
        id={`edge-${at}`}
        aria-rowindex={at + 2}
        aria-selected={at === place}
        data-odd={at % 2 === 1 ? '' : undefined}
        data-lit={row === lit ? '' : undefined}
        style={{ transform: `translateY(${at * rowHeight - scroll.offset}px)` }}
        onClick={() => {
          select(at);
        }}
        onPointerMove={({ clientX: x, clientY: y, pointerType }) => {
          if (pointerType !== 'touch')
            hover({ kind: 'pair', source: table.src[row]!, target: table.dst[row]! }, { x, y });
        }}
      >
        {columns.map((column) => (
          <div key={column.key} role="gridcell" class={column.isNumber ? 'number' : undefined}>
            {column.cell(row)}
          </div>
        ))}
      </div>,
    );
  }

  return (
    <div
      class="edges"
      role="grid"
      aria-label="Edges"
      aria-rowcount={order.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={place >= first && place < last ? `edge-${place}` : undefined}
      tabIndex={0}
      ref={scroller}
      onKeyDown={onKeyDown}
      onPointerLeave={hoverNothing}
      onScroll={(event) => {
        scroll.scrolled(event.currentTarget.scrollTop);
        repaint((n) => n + 1);
      }}
      onScrollEnd={(event) => {
        event.currentTarget.scrollTop = scroll.settled();
      }}
      style={{
        '--columns': columns.map(({ track }) => track).join(' '),
        '--least-width': `${columns.reduce((sum, { least }) => sum + least, 8)}px`,
      }}
    >
      <div class="edge-head" role="rowgroup">
        <div role="row" aria-rowindex={1} onKeyDown={moveInHead}>
          {columns.map((column, k) => (
            <HeadCell key={column.key} column={column} table={table} isFirst={k === 0} />
          ))}
        </div>
      </div>
      <div class="edge-body" role="rowgroup" style={{ height: `${tall}px` }}>
        <div class="window" role="presentation" style={{ height: `${height}px` }}>
          {visible}
          {order.length === 0 && <p class="empty">No pair passes the search and the filters.</p>}
        </div>
      </div>
    </div>
  );
}

/** Applies a width chosen by the user. */
const withWidth = (column: Column, width: number | undefined): Column =>
  width === undefined ? column : { ...column, track: `${width}px`, least: width };

/** The width at which every name of a column is shown in full; for other columns their least width. */
function fittingWidth({ key, least }: Column, { names }: EdgeColumns, like: Element): number {
  if (key !== 'src' && key !== 'dst') return least;
  const context = document.createElement('canvas').getContext('2d')!;
  const { fontWeight, fontFamily } = getComputedStyle(like.closest('.edges')!);
  context.font = `${fontWeight} ${getComputedStyle(like.closest('.edges')!).fontSize} ${fontFamily}`;
  return 18 + labelsOf(names).reduce((most, label) => Math.max(most, context.measureText(label).width), 0);
}

/** The border of a column: drag it, or double-click it for the width of the longest name. */
function ResizeHandle({ column, table }: HeadProps) {
  const drag = useRef<{ from: number; width: number } | null>(null);
  return (
    <span
      class="resize"
      aria-hidden="true"
      onPointerDown={(event) => {
        const cell = event.currentTarget.parentElement!;
        drag.current = { from: event.clientX, width: cell.getBoundingClientRect().width };
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove={({ clientX }) => {
        if (drag.current) setColumnWidth(column.key, drag.current.width + clientX - drag.current.from);
      }}
      onPointerUp={() => {
        drag.current = null;
      }}
      onDblClick={({ currentTarget }) => {
        setColumnWidth(column.key, fittingWidth(column, table, currentTarget));
      }}
    />
  );
}

interface HeadProps {
  readonly column: Column;
  readonly table: EdgeColumns;
}

/**
 * Arrow keys move along the head, whose first column is the tab stop; with Alt they make a column wider or narrower.
 */
function moveInHead(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const buttons = [...event.currentTarget.querySelectorAll<HTMLButtonElement>('button')];
  const now = buttons.indexOf(event.target as HTMLButtonElement);
  if (now < 0) return;
  if (step && event.altKey) {
    const cell = buttons[now]!.parentElement!;
    setColumnWidth(cell.dataset.column as ColumnKey, cell.getBoundingClientRect().width + 16 * step);
  } else if (step) buttons[now + step]?.focus();
  else if (event.key === 'Home') buttons[0]?.focus();
  else if (event.key === 'End') buttons.at(-1)?.focus();
  else if (event.key === 'ArrowDown') event.currentTarget.closest<HTMLElement>('[role=grid]')?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** The order after a click on a head: by that column alone, or with Shift by that column too. */
function sortedBy(sort: Sort, column: Column, isAdded: boolean): Sort {
  const keys = [sort, ...(sort.then ?? [])];
  const place = keys.findIndex((key) => key.column === column.key);
  const descending = place < 0 ? !column.leastFirst : !keys[place]!.descending;
  const key: SortKey = { column: column.key, descending };
  if (!isAdded) return key;
  const [first, ...then] = place < 0 ? [...keys, key] : keys.with(place, key);
  return {
    column: first!.column,
    descending: first!.descending,
    then: then.map(({ column, descending }) => ({ column, descending })),
  };
}

function HeadCell({ column, table, isFirst }: HeadProps & { readonly isFirst: boolean }) {
  const keys = [sort.value, ...(sort.value.then ?? [])];
  const place = keys.findIndex(({ column: by }) => by === column.key);
  const direction = keys[place]?.descending ? 'descending' : 'ascending';
  return (
    <div
      role="columnheader"
      data-column={column.key}
      class={column.isNumber ? 'number' : undefined}
      aria-sort={place === 0 ? direction : 'none'}
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes(dragged)) event.preventDefault();
      }}
      onDrop={(event) => {
        const key = event.dataTransfer?.getData(dragged);
        if (!key) return;
        event.preventDefault();
        event.stopPropagation();
        moveColumn(columnsOf(table, null), key as ColumnKey, column.key);
      }}
    >
      <button
        title={`${column.about}. Click to sort, Shift-click to add a sort key; drag to move the column`}
        tabIndex={isFirst ? 0 : -1}
        draggable
        onDragStart={(event) => {
          event.dataTransfer?.setData(dragged, column.key);
        }}
        onClick={(event) => {
          sort.value = sortedBy(sort.value, column, event.shiftKey);
        }}
      >
        {column.label}
        <span aria-hidden="true">
          {place < 0 ? '' : keys[place]!.descending ? '↓' : '↑'}
          {place >= 0 && keys.length > 1 && <sup class="sort-rank">{place + 1}</sup>}
        </span>
        {/* aria-sort covers the first key alone. */}
        {place >= 0 && keys.length > 1 && (
          <span class="visually-hidden">
            , key {place + 1} of {keys.length}, {direction}
          </span>
        )}
      </button>
      <ResizeHandle column={column} table={table} />
    </div>
  );
}

/** Data type of a dragged column. */
const dragged = 'application/x-column';

/** The row of the pair that the pointer is on, here or in another view; -1 for none. */
function litRow(table: EdgeColumns): number {
  const at = hovered.value;
  if (at.kind !== 'pair') return -1;
  const row = rowOfPair.value(at.source, at.target);
  return row < table.rows ? row : -1;
}

/** Position of the selected pair among the rows shown; -1 if it is not there. */
function placeOf(table: EdgeColumns, order: Uint32Array): number {
  const at = selection.value;
  if (at.kind !== 'pair') return -1;
  const row = rowOfPair.value(at.source, at.target);
  return row < 0 || row >= table.rows ? -1 : order.indexOf(row);
}

function keyTarget(key: string, place: number, page: number, count: number): number | null {
  switch (key) {
    case 'ArrowDown':
      return place + 1;
    case 'ArrowUp':
      return Math.max(place, 1) - 1;
    case 'PageDown':
      return place + page;
    case 'PageUp':
      return place - page;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
