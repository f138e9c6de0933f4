import type { DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import { sortedOrder } from './order.ts';
import { pValuesOfPairs } from './p-values.ts';
import { runToEnd } from '../statistics/yielder.ts';
import { gather } from './gather.ts';
import type { ScoredPairs, ScoreScanner } from './score-scanner.ts';
import { fisherZ, upperTail } from '../scoring/significance.ts';
import { evenEdges } from './thresholds.ts';
import { countZ, splitBins, type TableRows, type ZBins } from './z-bins.ts';

/** How finely rows are counted, and how many are read one by one. */
export interface QTuning {
  /** Bins of the first count */
  readonly bins: number;
  /** Bins of later, finer counts */
  readonly mostBins: number;
  /** Most rows that are fetched and sorted as long as finer counts may still help */
  readonly budget: number;
  /** Most counts */
  readonly rounds: number;
}

/**
 * Exact q of some rows of a table of which only counts are known. The last row of a bin bounds from above the least
 * ratio after the rows before it, and the bin's upper edge bounds from below the ratios of its own rows; the rows of
 * the few bins whose bounds leave open whether they matter are fetched and ranked one by one.
 */
export class QValues {
  readonly #scanner: ScoreScanner;
  readonly #dfGroups: DegreesOfFreedomGroups;
  readonly #table: TableRows;
  readonly #excluded: { has(pairIndex: number): boolean };
  readonly #tuning: QTuning;
  #counted: ZBins | undefined;
  #rounds = 0;

  /** Counts nothing until it is needed. */
  constructor(scanner: ScoreScanner, dfGroups: DegreesOfFreedomGroups, table: TableRows, tuning: QTuning) {
    this.#scanner = scanner;
    this.#dfGroups = dfGroups;
    this.#table = table;
    this.#excluded = new Set(table.excluded.pairIndices);
    this.#tuning = tuning;
  }

  /**
   * A z that every row with q at or below `maxQ` reaches, and hardly any other row; Infinity if there is no such row.
   * Also the number of rows that reach it.
   */
  async cutoff(maxQ: number): Promise<{ leastZ: number; rows: number }> {
    for (;;) {
      const bins = await this.#bins();
      const { counts, least, last, edges, ranks } = bins;
      let sure = counts.length;
      const open = new Uint8Array(counts.length);
      for (let bin = 0; bin < counts.length && sure === counts.length; bin++) {
        if (last[bin]! <= maxQ) sure = bin;
        else if (least[bin]! <= maxQ) open[bin] = 1;
      }
      const inDoubt = sum(counts, open);
      if (inDoubt > 0 && (await this.#finer(bins, open, inDoubt))) continue;
      if (inDoubt > 0) {
        const ranked = await this.#rank(bins, open);
        for (let bin = 0; bin < sure; bin++) {
          const of = ranked.get(bin);
          if (of === undefined) continue;
          for (let k = of.ratios.length - 1; k >= 0; k--) {
            if (of.ratios[k]! > maxQ) continue;
            return { leastZ: slightlyBelow(fisherZ(of.scores[k]!, of.roots[k]!)), rows: ranks[bin]! };
          }
        }
      }
      if (sure === counts.length) return { leastZ: Infinity, rows: 0 };
      return { leastZ: sure === 0 ? -Infinity : slightlyBelow(edges[sure - 1]!), rows: ranks[sure]! };
    }
  }

  /** q of rows of the table. */
  async of({ pairIndices, scores }: ScoredPairs): Promise<Float64Array> {
    const { classOf, roots } = this.#dfGroups;
    const nodes = classOf.length;
    const { bins, binOf, ranked, later } = await this.#settled(({ lookup }) =>
      Int32Array.from(pairIndices, (pairIndex, row) => {
        const score = scores[row]!;
        return score === score ? lookup.binOf(classOf[pairIndex % nodes]!, score) : 0;
      }),
    );
    const { least, last } = bins;
    return Float64Array.from(binOf, (bin, row) => {
      const own = ranked.get(bin);
      if (own !== undefined) {
        const key = this.#key(scores[row]!, roots[classOf[pairIndices[row]! % nodes]!]!);
        return Math.min(later[bin]!, own.least[firstAtLeast(own.keys, key)]!);
      }
      // A bin with a single p, 0 or 1, needs no ranking; in other bins only later rows count.
      return least[bin] === last[bin] ? Math.min(later[bin]!, last[bin]!) : later[bin]!;
    });
  }

  /** The least ratio, at most 1, over all rows whose z is below each border. */
  async below(borders: Float64Array): Promise<Float64Array> {
    const edges = this.#counted?.edges ?? this.#firstEdges();
    if (!borders.every((border) => this.#counted?.edges.includes(border))) {
      await this.#count(Float64Array.from(new Set([...edges, ...borders])).sort());
    }
    const { bins, binOf, ranked, later } = await this.#settled(({ edges }) =>
      Int32Array.from(borders, (border) => edges.indexOf(border)),
    );
    return Float64Array.from(binOf, (bin) =>
      Math.min(later[bin]!, ranked.get(bin)?.least[0] ?? bins.last[bin]!),
    );
  }

  #firstEdges(): Float64Array {
    return evenEdges(this.#dfGroups, this.#tuning.bins);
  }

  #bins(): Promise<ZBins> | ZBins {
    return this.#counted ?? this.#count(this.#firstEdges());
  }

  async #count(edges: Float64Array): Promise<ZBins> {
    this.#rounds++;
    this.#counted = await countZ(this.#scanner, this.#dfGroups, edges, this.#table);
    return this.#counted;
  }

  /** Fetches rows, and counts again, until nothing that matters for those bins is in doubt. */
  async #settled(locate: (bins: ZBins) => Int32Array): Promise<{
    bins: ZBins;
    binOf: Int32Array;
    ranked: ReadonlyMap<number, RankedBin>;
    later: Float64Array;
  }> {
    for (;;) {
      const bins = await this.#bins();
      const binOf = locate(bins);
      const open = openBins(bins, binOf);
      const inDoubt = sum(bins.counts, open);
      if (inDoubt > 0 && (await this.#finer(bins, open, inDoubt))) continue;
      const ranked = await this.#rank(bins, open);
      return { bins, binOf, ranked, later: leastLater(bins, ranked) };
    }
  }

  /** Counts again with the open bins split, if that is likely to save fetching rows. */
  async #finer(bins: ZBins, open: Uint8Array, inDoubt: number): Promise<boolean> {
    const { budget, rounds, mostBins } = this.#tuning;
    if (inDoubt <= budget || this.#rounds >= rounds) return false;
    const edges = splitBins(bins.edges, open, mostBins);
    if (edges.length === bins.edges.length) return false;
    await this.#count(edges);
    return true;
  }

  /**
   * The key that the sorted table ranks rows by, ascending: p or, if all have the same degrees of freedom, the negated
   * score. The two orders differ if rounding gives the smaller of two neighbouring scores the smaller p.
   */
  #key(score: number, root: number): number {
    return this.#dfGroups.roots.length === 1 ? -score : upperTail(fisherZ(score, root));
  }

  /** Fetches and ranks the rows of bins. */
  async #rank(bins: ZBins, open: Uint8Array): Promise<Map<number, RankedBin>> {
    const ranked = new Map<number, RankedBin>();
    const { counts, ranks, thresholds, lookup } = bins;
    const { classOf, roots } = this.#dfGroups;
    const nodes = classOf.length;
    // The passes include pairs that are not rows.
    const most = sum(counts, open) + countIn(open, this.#table.excluded, lookup, classOf);
    if (most === 0) return ranked;
    const { pairIndices, scores } = await this.#scanner.collect(thresholds, open, most);
    const p = runToEnd(pValuesOfPairs({ pairIndices, scores }, this.#dfGroups));
    const unranked = new Map<number, UnrankedBin>();
    for (let k = 0; k < pairIndices.length; k++) {
      const pairIndex = pairIndices[k]!;
      if (this.#excluded.has(pairIndex)) continue;
      const freedomClass = classOf[pairIndex % nodes]!;
      const score = scores[k]!;
      const bin = lookup.binOf(freedomClass, score);
      let of = unranked.get(bin);
      if (of === undefined) {
        const numbers = (): Float64Array => new Float64Array(counts[bin]!);
        of = { filled: 0, keys: numbers(), p: numbers(), scores: numbers(), roots: numbers() };
        unranked.set(bin, of);
      }
      const at = of.filled++;
      of.keys[at] = roots.length === 1 ? -score : p[k]!;
      of.p[at] = p[k]!;
      of.scores[at] = score;
      of.roots[at] = roots[freedomClass]!;
    }
    for (const [bin, of] of unranked) {
      const order = sortedOrder(of.keys, 'ascending');
      const first = ranks[bin]! - order.length + 1;
      const ratios = gather(of.p, order).map((value, k) => (value * this.#table.rows) / (first + k));
      const least = ratios.slice();
      for (let k = least.length - 2; k >= 0; k--) least[k] = Math.min(least[k]!, least[k + 1]!);
      const [keys, ownScores, ownRoots] = [of.keys, of.scores, of.roots].map((values) =>
        gather(values, order),
      );
      ranked.set(bin, { keys: keys!, scores: ownScores!, roots: ownRoots!, ratios, least });
    }
    return ranked;
  }
}

/** Bins that may hold the least ratio for some of the rows in bins `binOf`, as far as the counts show. */
function openBins(bins: ZBins, binOf: Int32Array): Uint8Array {
  const { counts, least, last } = bins;
  const requested = new Uint8Array(counts.length);
  for (const bin of binOf) requested[bin] = 1;
  const later = leastLater(bins, new Map());
  const open = new Uint8Array(counts.length);
  let before = Infinity;
  let any = false;
  for (let bin = counts.length - 1; bin > 0; bin--) {
    if (requested[bin] === 1) {
      // The rows before a row do not affect its q.
      before = Infinity;
      any = true;
    }
    const matters = any && least[bin]! < Math.min(later[bin]!, before);
    if (matters && least[bin] !== last[bin]) open[bin] = 1;
    before = Math.min(before, last[bin]!);
  }
  return open;
}

/** The least ratio over all bins of lower z, at most 1: exact if the ranked bins are the open ones. */
function leastLater({ counts, last }: ZBins, ranked: ReadonlyMap<number, RankedBin>): Float64Array {
  const later = new Float64Array(counts.length);
  let least = 1;
  for (let bin = 0; bin < counts.length; bin++) {
    later[bin] = least;
    least = Math.min(least, ranked.get(bin)?.least[0] ?? last[bin]!);
  }
  return later;
}

/** The rows of one bin, in order of arrival. */
interface UnrankedBin {
  filled: number;
  readonly keys: Float64Array;
  readonly p: Float64Array;
  readonly scores: Float64Array;
  readonly roots: Float64Array;
}

/** The rows of one bin, ranked. */
interface RankedBin {
  /** Ascending; see `QValues.#key` */
  readonly keys: Float64Array;
  readonly scores: Float64Array;
  /** Square roots of their degrees of freedom */
  readonly roots: Float64Array;
  /** p m / rank of each */
  readonly ratios: Float64Array;
  /** The least ratio from each row on */
  readonly least: Float64Array;
}

/** First index in an ascending list whose value is at least `value`; the last index if there is none. */
function firstAtLeast(rising: Float64Array, value: number): number {
  let [low, high] = [0, rising.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rising[middle]! >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function slightlyBelow(z: number): number {
  return z - 1e-9 * Math.max(1, Math.abs(z));
}

function sum(counts: Uint32Array, marked: Uint8Array): number {
  let total = 0;
  for (let bin = 0; bin < counts.length; bin++) if (marked[bin] === 1) total += counts[bin]!;
  return total;
}

function countIn(
  marked: Uint8Array,
  { pairIndices, scores }: ScoredPairs,
  lookup: ZBins['lookup'],
  classOf: ArrayLike<number>,
): number {
  const nodes = classOf.length;
  let count = 0;
  for (let k = 0; k < pairIndices.length; k++) {
    const score = scores[k]!;
    if (score === score) count += marked[lookup.binOf(classOf[pairIndices[k]! % nodes]!, score)]!;
  }
  return count;
}
