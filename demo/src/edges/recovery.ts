import type { EdgeColumns } from './edge-columns.ts';

/** Ranks up to which positives count as found. */
export const hitRanks = [1, 5, 20] as const;

/**
 * How well a score finds positive edges among the pairs that are no edge of the graph: known edges do not compete, equal
 * scores share their average rank, and a positive without a score counts as missed.
 */
export interface Recovery {
  /** Mean reciprocal rank among the sources of the positive's target. */
  readonly mrrByTarget: number;
  /** The same among the targets of its source. */
  readonly mrrBySource: number;
  /** Share of positives among as many first pairs as there are positives with a score. */
  readonly earlyPrecision: number;
  /** Share of positives at one of the first k ranks of their target, for each of {@link hitRanks}. */
  readonly hits: readonly number[];
}

/** `positive` holds 1 at the rows of positives; `count` is how many there are, those without a row included. */
export function recovery(columns: EdgeColumns, positive: Uint8Array, count: number): Recovery {
  const { src, dst, score, hasEdge, rows } = columns;
  const competes = (row: number) => !Number.isNaN(score[row]!) && (positive[row] === 1 || hasEdge[row] === 0);
  const candidates: number[] = [];
  for (let row = 0; row < rows; row++) if (competes(row)) candidates.push(row);
  const found = candidates.filter((row) => positive[row] === 1);
  const byTarget = ranksWithin(candidates, found, dst, score);
  const bySource = ranksWithin(candidates, found, src, score);
  const share = (sum: number) => sum / count;
  const reciprocal = (ranks: readonly number[]) => share(ranks.reduce((sum, rank) => sum + 1 / rank, 0));
  return {
    mrrByTarget: reciprocal(byTarget),
    mrrBySource: reciprocal(bySource),
    earlyPrecision: earlyPrecision(candidates, found, score),
    hits: hitRanks.map((k) => share(byTarget.filter((rank) => rank <= k).length)),
  };
}

/** Rank of each positive among the candidates that share a node with it, 1 for the best. */
function ranksWithin(
  candidates: readonly number[],
  positives: readonly number[],
  nodes: Int32Array,
  score: ArrayLike<number>,
): number[] {
  const groups = new Map<number, number[]>(positives.map((row) => [nodes[row]!, []]));
  for (const row of candidates) groups.get(nodes[row]!)?.push(score[row]!);
  return positives.map((row) => {
    const own = score[row]!;
    let [ahead, equal] = [0, 0];
    for (const other of groups.get(nodes[row]!)!) {
      if (other > own) ahead++;
      else if (other === own) equal++;
    }
    return ahead + (equal + 1) / 2;
  });
}

/** Precision at as many pairs as positives; of equal scores at the border, as many as are to be expected. */
function earlyPrecision(
  candidates: readonly number[],
  positives: readonly number[],
  score: ArrayLike<number>,
): number {
  const most = positives.length;
  if (most === 0) return Number.NaN;
  const sorted = Float64Array.from(candidates, (row) => score[row]!).sort();
  const border = sorted[sorted.length - most]!;
  const count = (rows: readonly number[], isIn: (value: number) => boolean) =>
    rows.reduce((sum, row) => sum + (isIn(score[row]!) ? 1 : 0), 0);
  const above = count(candidates, (value) => value > border);
  const atBorder = count(candidates, (value) => value === border);
  const hits =
    count(positives, (value) => value > border) +
    (count(positives, (value) => value === border) * (most - above)) / atBorder;
  return hits / most;
}
