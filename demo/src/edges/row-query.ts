import { sortPermutation } from './sort.ts';
import { uncertaintyKeys, type EdgeColumns, type UncertaintyKey } from './edge-columns.ts';

const plainKeys = ['src', 'dst', 'score', 'pValue', 'qValue', 'hasEdge', 'conditioned'] as const;

/** A column of the table by its content; `pair:0` is the first layer pair. */
export type ColumnKey = (typeof plainKeys)[number] | UncertaintyKey | `pair:${number}`;

export const isColumnKey = (text: string): text is ColumnKey =>
  /^pair:\d+$/.test(text) || [...plainKeys, ...uncertaintyKeys].some((key) => key === text);

export interface SortKey {
  readonly column: ColumnKey;
  readonly descending: boolean;
}

/** Sorts by a column and, where it is equal, by others. */
export interface Sort extends SortKey {
  readonly then?: readonly SortKey[];
}

export interface RowFilter {
  /** Matches part of a name on either side; `a > b` matches source and target. */
  readonly search: string;
  readonly minScore: number | null;
  readonly maxQ: number | null;
  readonly edges: 'all' | 'known' | 'new';
  /** Names allowed as sources or targets; null for all. */
  readonly sources: readonly string[] | null;
  readonly targets: readonly string[] | null;
  /** Only these pairs, by the names of source and target; null for all. */
  readonly pairs: readonly (readonly [source: string, target: string])[] | null;
  /** Labels of nodes by number: a search matches them as well as names. */
  readonly labels: readonly string[] | null;
}

export const noFilter: RowFilter = {
  search: '',
  minScore: null,
  maxQ: null,
  edges: 'all',
  sources: null,
  targets: null,
  pairs: null,
  labels: null,
};

/** Answers "which rows, in which order" over one table; sorts are cached, so that a changed filter costs one scan. */
export class RowQuery {
  readonly #columns: EdgeColumns;
  readonly #sorted = new Map<string, Uint32Array>();

  constructor(columns: EdgeColumns) {
    this.#columns = columns;
  }

  /** Row numbers that pass the filter, sorted. A fresh array, owned by the caller. */
  rows(sort: Sort, filter: RowFilter): Uint32Array {
    const order = this.#order(sort);
    const passes = rowPredicate(this.#columns, filter);
    const kept = new Uint32Array(order.length);
    let count = 0;
    for (const row of order) if (passes(row)) kept[count++] = row;
    return kept.slice(0, count);
  }

  #order(sort: Sort): Uint32Array {
    const key = JSON.stringify(sort);
    let order = this.#sorted.get(key);
    if (!order) {
      order = this.#sortedBy([sort, ...(sort.then ?? [])]);
      // Caches a few sorts of a million rows, not one for every column ever clicked.
      if (this.#sorted.size >= 4) this.#sorted.delete(this.#sorted.keys().next().value!);
      this.#sorted.set(key, order);
    }
    return order;
  }

  /** The sort is stable: sort by the last key first. */
  #sortedBy(keys: readonly SortKey[]): Uint32Array {
    const [last, ...others] = keys.toReversed();
    let order = sortPermutation(keysOf(this.#columns, last!.column), last!.descending);
    for (const { column, descending } of others) {
      const values = keysOf(this.#columns, column);
      const before = order;
      const inOrder = Float64Array.from(before, (row) => values[row]!);
      order = sortPermutation(inOrder, descending).map((place) => before[place]!);
    }
    return order;
  }
}

/** The numbers by which a column sorts; names sort in natural order ("gene 2" before "gene 10"). */
function keysOf(columns: EdgeColumns, column: ColumnKey): ArrayLike<number> {
  if (column === 'src' || column === 'dst') {
    const rank = nameRanks(columns.names);
    return columns[column].map((node) => rank[node]!);
  }
  if (column === 'conditioned') return columns.conditioned ?? new Int32Array(columns.rows);
  if (column.startsWith('pair:'))
    return columns.pairs[Number(column.slice(5))]?.values ?? new Float64Array(columns.rows);
  // If the table lacks the column, rows keep their order.
  if (isUncertainty(column)) return columns.uncertainty[column] ?? new Float64Array(columns.rows);
  return columns[column as 'score' | 'pValue' | 'qValue' | 'hasEdge'];
}

const isUncertainty = (column: ColumnKey): column is UncertaintyKey =>
  uncertaintyKeys.some((key) => key === column);

/** Rank of each node by name. */
export function nameRanks(names: readonly string[]): Int32Array {
  const collator = new Intl.Collator('en', { numeric: true });
  const order = names.map((_, node) => node).sort((a, b) => collator.compare(names[a]!, names[b]!) || a - b);
  const rank = new Int32Array(names.length);
  order.forEach((node, place) => {
    rank[node] = place;
  });
  return rank;
}

function rowPredicate(columns: EdgeColumns, filter: RowFilter): (row: number) => boolean {
  const { src, dst, score, qValue, hasEdge } = columns;
  const { minScore, edges } = filter;
  // Scores without p-values cannot be filtered by q.
  const maxQ = columns.isTested ? filter.maxQ : null;
  const [left, right] = filter.search.split(/\s*(?:->|→|>)\s*/, 2).map((part) => part.trim().toLowerCase());
  const matches = (part: string) =>
    columns.names.map((name, node) =>
      [name, filter.labels?.[node] ?? ''].some((text) => text.toLowerCase().includes(part)),
    );
  const from = left ? matches(left) : null;
  const to = right === undefined ? null : matches(right);
  const allowed = (list: readonly string[] | null) => {
    const names = list && new Set(list);
    return names && columns.names.map((name) => names.has(name));
  };
  const [sources, targets] = [allowed(filter.sources), allowed(filter.targets)];
  const wanted = filter.pairs && pairKeys(columns.names, filter.pairs);
  return (row) => {
    if (wanted && !wanted.has(src[row]! * columns.names.length + dst[row]!)) return false;
    if (sources && !sources[src[row]!]) return false;
    if (targets && !targets[dst[row]!]) return false;
    if (edges === 'known' && !hasEdge[row]) return false;
    if (edges === 'new' && hasEdge[row]) return false;
    // The negated comparisons also reject NaN, which passes no threshold.
    if (minScore !== null && !(score[row]! >= minScore)) return false;
    if (maxQ !== null && !(qValue[row]! <= maxQ)) return false;
    if (to) return to[dst[row]!]! && (from?.[src[row]!] ?? true);
    return !from || from[src[row]!]! || from[dst[row]!]!;
  };
}

/** `source * nodes + target` of each pair; NaN if a name is unknown. */
function pairKeys(names: readonly string[], pairs: readonly (readonly [string, string])[]): Set<number> {
  const numbers = new Map(names.map((name, node) => [name, node]));
  return new Set(
    pairs.map(
      ([source, target]) => (numbers.get(source) ?? NaN) * names.length + (numbers.get(target) ?? NaN),
    ),
  );
}
