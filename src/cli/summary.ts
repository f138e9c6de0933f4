import type { Table } from 'apache-arrow';
import { scoreColumnOf } from '../table/score-column.ts';
import { oneLine } from './terminal.ts';

/** One row of an edge table, for people to read. */
export interface EdgeRow {
  readonly src: string;
  readonly dst: string;
  /** A correlation, */
  readonly corr?: number | null;
  /** or another score */
  readonly score?: number | null;
  readonly q: number | null;
  readonly edge: boolean;
}

/** The first rows of an edge table. */
export function topRows(table: Table, count: number): EdgeRow[] {
  const column = (name: string, row: number): unknown => table.getChild(name)!.get(row);
  const number = (name: string, row: number): number | null => {
    const value = column(name, row);
    return value === null || Number.isNaN(value) ? null : Number(value);
  };
  const scores = scoreColumnOf(table);
  return Array.from({ length: Math.min(count, table.numRows) }, (_, row) => ({
    src: String(column('src_func', row)),
    dst: String(column('dst_func', row)),
    [scores]: number(scores, row),
    q: number('q_value', row),
    edge: column('has_edge', row) === true,
  }));
}

/** Formats rows under a header, each column as wide as its widest cell, numbers right-aligned. */
export function formatTable(rows: readonly EdgeRow[]): string {
  const scores = rows.some((row) => 'score' in row) ? 'score' : 'corr';
  const cells = [
    ['source', 'target', scores, 'q', 'known'],
    ...rows.map(({ src, dst, corr, score = corr, q, edge }) => [
      cellOf(src),
      cellOf(dst),
      score?.toFixed(4) ?? 'NaN',
      q === null ? '' : shortNumber(q),
      edge ? 'yes' : '',
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === 2 || column === 3 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Most characters of a name that are shown */
const MOST_CHARACTERS = 48;

/** A name on one line, cut if it is too long. */
function cellOf(name: string): string {
  const shown = oneLine(name);
  return shown.length > MOST_CHARACTERS ? `${shown.slice(0, MOST_CHARACTERS - 1)}…` : shown;
}

/** Few digits; 0 is shown as an upper bound. */
function shortNumber(q: number): string {
  if (q === 0) return '<1e-300';
  return q < 1e-3 ? q.toExponential(1) : q.toFixed(4);
}
