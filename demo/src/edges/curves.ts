import type { EdgeColumns } from './edge-columns.ts';
import { sortPermutation } from './sort.ts';

/** How well the score separates the given positives from pairs that are neither positive nor an edge of the graph. */
export interface Curves {
  readonly positives: number;
  readonly negatives: number;
  /** Area under the ROC curve, ties counting half. NaN without positives or negatives. */
  readonly rocAuc: number;
  /** Average precision: the precision at each positive, averaged over positives; tied scores enter together. */
  readonly averagePrecision: number;
  /** Corners (x, y) of the curve, which are at positives; thinned if there are thousands. */
  readonly roc: Float64Array;
  /**
   * Recall and precision at each positive. A precision holds from the previous recall to its own, so that the area
   * under the steps is the average precision.
   */
  readonly precisionRecall: Float64Array;
}

/** `positive` holds 1 at the rows that count as positive. Rows without a score are left out. */
export function curves(columns: EdgeColumns, positive: Uint8Array): Curves {
  const { score, hasEdge } = columns;
  const order = sortPermutation(score, true).filter(
    (row) => !Number.isNaN(score[row]!) && (positive[row] === 1 || hasEdge[row] === 0),
  );
  let positives = 0;
  for (const row of order) positives += positive[row]!;
  const negatives = order.length - positives;
  const roc = [0, 0];
  const precisionRecall: number[] = [];
  const pushRoc = (at: number) => roc.push((at - hits) / negatives, hits / positives);
  const pushPrecision = (at: number) => precisionRecall.push(hits / positives, hits / at);
  let hits = 0;
  let area = 0;
  let averagePrecision = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    let tiedHits = 0;
    // Equal scores share one threshold.
    while (end < order.length && score[order[end]!] === score[order[start]!])
      tiedHits += positive[order[end++]!]!;
    const tiedMisses = end - start - tiedHits;
    // The curve is straight between two positives, so its corners are enough.
    if (tiedHits > 0) pushRoc(start);
    area += tiedMisses * (hits + tiedHits / 2);
    hits += tiedHits;
    averagePrecision += tiedHits * (hits / end);
    if (tiedHits > 0) {
      pushRoc(end);
      pushPrecision(end);
    }
    start = end;
  }
  pushRoc(order.length);
  return {
    positives,
    negatives,
    rocAuc: area / (positives * negatives),
    averagePrecision: averagePrecision / positives,
    roc: thin(roc),
    precisionRecall: thin(precisionRecall),
  };
}

/** Every k-th point and the last, at most about 2,000: more than a plot has pixels. */
function thin(points: number[]): Float64Array {
  const count = points.length / 2;
  const step = Math.max(1, Math.ceil(count / 2000));
  const kept: number[] = [];
  for (let i = 0; i < count; i += step) kept.push(points[2 * i]!, points[2 * i + 1]!);
  if (count > 0 && (count - 1) % step !== 0) kept.push(points[2 * count - 2]!, points[2 * count - 1]!);
  return Float64Array.from(kept);
}

/** 1 at each row whose (source, target) is among the named pairs, and the names that the table does not have. */
export function markPairs(
  columns: EdgeColumns,
  pairs: readonly (readonly [string, string])[],
): { marks: Uint8Array; unknown: string[] } {
  const nodes = columns.names.length;
  const index = new Map(columns.names.map((name, node) => [name, node]));
  const wanted = new Set<number>();
  const unknown: string[] = [];
  for (const [source, target] of pairs) {
    const i = index.get(source);
    const j = index.get(target);
    if (i === undefined) unknown.push(source);
    if (j === undefined) unknown.push(target);
    if (i !== undefined && j !== undefined) wanted.add(i * nodes + j);
  }
  const marks = new Uint8Array(columns.rows);
  for (let row = 0; row < columns.rows; row++)
    if (wanted.has(columns.src[row]! * nodes + columns.dst[row]!)) marks[row] = 1;
  return { marks, unknown: [...new Set(unknown)] };
}
