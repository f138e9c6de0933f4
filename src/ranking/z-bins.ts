import type { DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import type { ScoredPairs, ScoreScanner } from './score-scanner.ts';
import { upperTail } from '../scoring/significance.ts';
import { BinLookup, zThresholds, type Thresholds } from './thresholds.ts';

/**
 * All rows of a table in bins of their z, with bounds on `p m / rank` (m rows, rank by ascending p), whose least over a
 * row and all rows of lower z is the row's q (Benjamini and Hochberg). Bin b has the rows with z from edge b - 1 up to
 * edge b; bin 0 those with p = 1.
 */
export interface ZBins {
  /** K, rising */
  readonly edges: Float64Array;
  readonly thresholds: Thresholds;
  readonly lookup: BinLookup;
  /** K + 1 */
  readonly counts: Uint32Array;
  /** Rank of the last row of each bin: rows in it and in bins of higher z */
  readonly ranks: Float64Array;
  /** No row of the bin has a smaller `p m / rank`; Infinity for an empty bin */
  readonly least: Float64Array;
  /** The bin's last row has no larger `p m / rank`; Infinity for an empty bin */
  readonly last: Float64Array;
}

/** A generous bound on the rounding of p and of the edges. */
const SLACK = 1e-9;

/** Which pairs are rows of a table. */
export interface TableRows {
  /** m, including rows without a score */
  readonly rows: number;
  /** Pairs that are not rows */
  readonly excluded: ScoredPairs;
}

/** Counts the rows of a table in bins of z. */
export async function countZ(
  scanner: ScoreScanner,
  dfGroups: DegreesOfFreedomGroups,
  edges: Float64Array,
  { rows, excluded }: TableRows,
): Promise<ZBins> {
  const thresholds = zThresholds(dfGroups, edges);
  const lookup = new BinLookup(thresholds);
  const all = await scanner.count(thresholds);
  withoutExcluded(all, lookup, dfGroups, excluded);
  // Rows without a score have p = 1 and come last, whatever their rank.
  const counts = all.subarray(0, edges.length + 1);
  const ranks = new Float64Array(counts.length);
  const least = new Float64Array(counts.length).fill(Infinity);
  const last = new Float64Array(counts.length).fill(Infinity);
  let rank = 0;
  for (let bin = counts.length - 1; bin >= 0; bin--) {
    rank += counts[bin]!;
    ranks[bin] = rank;
    if (counts[bin] === 0) continue;
    const lowest = bin === 0 ? 1 : upperTail(edges[bin - 1]!) * (1 + SLACK);
    const highest = bin === 0 ? 1 : bin === edges.length ? 0 : upperTail(edges[bin]!) * (1 - SLACK);
    least[bin] = (highest * rows) / rank;
    last[bin] = (lowest * rows) / rank;
  }
  return { edges, thresholds, lookup, counts, ranks, least, last };
}

/** Subtracts pairs that are not rows from the counts of {@link ScoreScanner.count}. */
export function withoutExcluded(
  counts: Uint32Array,
  lookup: BinLookup,
  { classOf }: DegreesOfFreedomGroups,
  { pairIndices, scores }: ScoredPairs,
): void {
  const nodes = classOf.length;
  for (let k = 0; k < pairIndices.length; k++)
    counts[lookup.binOf(classOf[pairIndices[k]! % nodes]!, scores[k]!)]!--;
}

/** Edges with each of the marked bins split evenly, so that there are about `total` of them. */
export function splitBins(edges: Float64Array, marked: Uint8Array, total: number): Float64Array {
  let count = 0;
  for (let bin = 1; bin < edges.length; bin++) count += marked[bin]!;
  const parts = Math.max(2, Math.floor((total - edges.length) / Math.max(1, count)) + 1);
  const split: number[] = [];
  for (let bin = 1; bin <= edges.length; bin++) {
    const from = edges[bin - 1]!;
    split.push(from);
    const to = edges[bin];
    if (to === undefined || marked[bin] === 0) continue;
    for (let part = 1; part < parts; part++) {
      const edge = from + ((to - from) * part) / parts;
      if (edge > split.at(-1)! && edge < to) split.push(edge);
    }
  }
  return Float64Array.from(split);
}
