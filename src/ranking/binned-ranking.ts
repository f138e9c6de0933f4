import type { DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import { fisherZ } from '../scoring/significance.ts';
import { runToEnd } from '../statistics/yielder.ts';
import { gather } from './gather.ts';
import { sortedOrder, sortRows } from './order.ts';
import { pValuesOfPairs } from './p-values.ts';
import { QValues, type QTuning } from './q-values.ts';
import { pickRows, type RankedPairs } from './rank-pairs.ts';
import { chosenRows, rowsOf, type RowChoice } from './row-choice.ts';
import type { BinRange, ScoredPairs, ScoreScanner } from './score-scanner.ts';
import { BinLookup, evenEdges, scoreThresholds, zThresholds, type Thresholds } from './thresholds.ts';
import { splitBins, withoutExcluded, type TableRows } from './z-bins.ts';

/** How finely to count, and how many rows to read. */
export interface BinTuning extends QTuning {
  /** Size up to which a bin of scores is fetched, superfluous rows included, rather than split and counted again */
  readonly spareRows: number;
}

export const DEFAULT_TUNING: BinTuning = {
  bins: 1 << 13,
  mostBins: 1 << 16,
  budget: 1 << 19,
  rounds: 4,
  spareRows: 1 << 14,
};

/** Up to this share of the table, the q of the wanted rows are found one by one. */
const LARGEST_SHARE = 1 / 8;

/** Rows whose q is computed at a time, if that of all pairs is. */
const ROWS_PER_GROUP = 1 << 18;

/** q of the sorted rows of a group; `rank` rows of the table precede it. */
type QOfGroup = (
  rows: Omit<RankedPairs, 'q'>,
  group: number,
  rank: number,
) => Float64Array | Promise<Float64Array>;

/** Bins of scores, and groups of bins that are sorted together, the highest first. */
interface ScoreBins {
  readonly thresholds: Thresholds;
  readonly counts: Uint32Array;
  /** Counts of the rows that may be wanted */
  readonly candidateCounts: Uint32Array;
  readonly groups: readonly BinRange[];
}

/** State of a table before its rows are read. */
interface Opened {
  readonly table: TableRows;
  readonly q: QValues;
  /** Pairs that are not rows, or not wanted whatever their q */
  readonly unwanted: ScoredPairs;
  /** A z that all wanted rows reach; Infinity if there are none */
  readonly leastZ: number;
  /** Most rows that are wanted */
  readonly most: number;
}

/**
 * The rows of a table, in its order and with exact p and q, from passes over the scores that count them in bins and
 * fetch the rows of some bins at a time: nothing of the size of a column is held except the pair indices and, if
 * degrees of freedom differ and most rows are requested, their q.
 */
export class BinnedRanking {
  readonly #scanner: ScoreScanner;
  readonly #dfGroups: DegreesOfFreedomGroups;
  readonly #choice: RowChoice;
  readonly #tuning: BinTuning;
  #opened: Opened | undefined;
  #qOfAllPairs: QOfGroup | undefined;

  /** @param tuning for tests */
  constructor(
    scanner: ScoreScanner,
    dfGroups: DegreesOfFreedomGroups,
    choice: RowChoice,
    tuning: BinTuning = DEFAULT_TUNING,
  ) {
    this.#scanner = scanner;
    this.#dfGroups = dfGroups;
    this.#choice = choice;
    this.#tuning = tuning;
  }

  /** Most rows that {@link BinnedRanking.groups} yields. */
  async mostRows(): Promise<number> {
    return (await this.#open()).most;
  }

  /**
   * The requested rows, some at a time. There is at least one group; some may be empty.
   *
   * @param rowsPerGroup rows sorted at a time, approximately; more if that many scores are equal
   */
  async *groups(rowsPerGroup: number): AsyncGenerator<RankedPairs, void, undefined> {
    const { leastZ, table } = await this.#open();
    const { top, maxQ } = this.#choice;
    if (top === 0 || leastZ === Infinity) {
      yield noRows(table.excluded);
      return;
    }
    const bins = await this.#scoreBins(leastZ, Math.min(rowsPerGroup, top));
    const { groups } = bins;
    let [remaining, rank] = [top, 0];
    for (let at = 0; at < groups.length && remaining > 0;) {
      // As many groups as hold the rows that are still wanted.
      let [end, rows] = [at, 0];
      while (end < groups.length && rows < remaining) rows += countIn(bins.candidateCounts, groups[end++]!);
      for await (const group of this.#sorted(bins, groups.slice(at, end), rank)) {
        rank += group.pairIndices.length;
        const chosen = this.#chosen(group, remaining);
        remaining -= chosen.pairIndices.length;
        yield chosen;
        if (remaining === 0) return;
      }
      at = end;
    }
    if (maxQ >= 1) yield* this.#unscored(bins, remaining, rowsPerGroup);
  }

  async #open(): Promise<Opened> {
    if (this.#opened) return this.#opened;
    const { nodes } = this.#scanner;
    const { excludeSelf, maxQ, top, candidatesOnly, edges } = this.#choice;
    const selves = Uint32Array.from({ length: excludeSelf ? nodes : 0 }, (_, i) => i * nodes + i);
    const excluded = await this.#scored(selves);
    const unwanted = candidatesOnly
      ? await this.#scored(Uint32Array.from(new Set([...selves, ...edges.pairIndices])))
      : excluded;
    const table = { rows: rowsOf(nodes, this.#choice), excluded };
    const q = new QValues(this.#scanner, this.#dfGroups, table, this.#tuning);
    const { leastZ, rows } = maxQ < 1 ? await q.cutoff(maxQ) : { leastZ: -Infinity, rows: table.rows };
    this.#opened = { table, unwanted, q, leastZ, most: Math.min(top, rows) };
    return this.#opened;
  }

  async #scored(pairIndices: Uint32Array): Promise<ScoredPairs> {
    return { pairIndices, scores: await this.#scanner.aggregatedAt(pairIndices) };
  }

  #chosen(group: RankedPairs, remaining: number): RankedPairs {
    const rows = chosenRows(group, { ...this.#choice, top: remaining });
    return rows === undefined ? group : pickRows(group, rows);
  }

  /** Bins of scores, in groups of about `size` scores. */
  async #scoreBins(leastZ: number, size: number): Promise<ScoreBins> {
    const { unwanted } = await this.#open();
    const { bins, rounds, spareRows } = this.#tuning;
    const { top } = this.#choice;
    let edges: Float64Array = Float64Array.from({ length: bins }, (_, k) => -1 + (2 * k) / bins);
    for (let round = 1; ; round++) {
      const thresholds = scoreThresholds(this.#dfGroups, edges, leastZ);
      const counts = await this.#scanner.count(thresholds);
      const large = largeBins(counts, Math.max(size / 4, Math.min(spareRows, size)), top);
      if (round < rounds && large.includes(1)) {
        const finer = splitBins(Float64Array.of(...edges, 1 + 1e-6), large, 2 * bins);
        if (finer.length > edges.length + 1) {
          edges = finer.subarray(0, -1);
          continue;
        }
      }
      const candidateCounts = counts.slice();
      withoutExcluded(candidateCounts, new BinLookup(thresholds), this.#dfGroups, unwanted);
      const past = thresholds.count + 1;
      const falling = binGroups(candidateCounts.slice(1, past).reverse(), size);
      const groups = falling.map(({ first, end }) => ({ first: past - end, end: past - first }));
      return { thresholds, counts, candidateCounts, groups };
    }
  }

  /** The rows of consecutive groups, sorted. @param rank rows before the first of them */
  async *#sorted(
    { thresholds, counts }: ScoreBins,
    groups: readonly BinRange[],
    rank: number,
  ): AsyncGenerator<RankedPairs, void, undefined> {
    const { table } = await this.#open();
    const excluded = new Set(table.excluded.pairIndices);
    const qOf = await this.#qOfGroups(thresholds, groups);
    let group = 0;
    for await (const found of this.#scanner.inGroups(thresholds, groups, counts)) {
      const pairs = tableOrder(found, excluded);
      const rows = { ...pairs, p: runToEnd(pValuesOfPairs(pairs, this.#dfGroups)) };
      yield { ...rows, q: await qOf(rows, group++, rank) };
      rank += pairs.pairIndices.length;
    }
  }

  async #qOfGroups(thresholds: Thresholds, groups: readonly BinRange[]): Promise<QOfGroup> {
    const { table, q, most } = await this.#open();
    if (most <= table.rows * LARGEST_SHARE) return (rows) => q.of(rows);
    if (this.#dfGroups.roots.length === 1) return this.#qByRank(thresholds, groups);
    return (this.#qOfAllPairs ??= await this.#qOfAll());
  }

  /** If p rises as scores fall: ranks are positions in the table, and later groups matter only by their least ratio. */
  async #qByRank(thresholds: Thresholds, groups: readonly BinRange[]): Promise<QOfGroup> {
    const { table, q } = await this.#open();
    const root = this.#dfGroups.roots[0]!;
    const endsTable = thresholds.values[0] === -1 && groups.at(-1)?.first === 1;
    // Between a group and the next: slightly above, so that no row of the next one counts towards the former.
    const borders = Float64Array.from(endsTable ? groups.slice(0, -1) : groups, ({ first }) => {
      const z = fisherZ(thresholds.values[first - 1]!, root);
      return z + 1e-12 * Math.max(1, Math.abs(z));
    });
    const later = Float64Array.of(...(await q.below(borders)), 1);
    return ({ p }, group, rank) => {
      const own = new Float64Array(p.length);
      let least = later[group]!;
      for (let row = p.length - 1; row >= 0; row--) {
        least = Math.min(least, (p[row]! * table.rows) / (rank + row + 1));
        own[row] = least;
      }
      return own;
    };
  }

  /** If degrees of freedom differ: a pass over the rows by falling p finds the q of every pair, which is kept. */
  async #qOfAll(): Promise<QOfGroup> {
    const { table } = await this.#open();
    const { nodes } = this.#scanner;
    const dfGroups = this.#dfGroups;
    const excluded = new Set(table.excluded.pairIndices);
    const thresholds = zThresholds(dfGroups, evenEdges(dfGroups, this.#tuning.bins));
    const counts = await this.#scanner.count(thresholds);
    const own = counts.slice();
    withoutExcluded(own, new BinLookup(thresholds), dfGroups, table.excluded);
    const groups = binGroups(counts.subarray(0, -1), ROWS_PER_GROUP);
    let rank = countIn(own, { first: 0, end: own.length - 1 });
    const qs = new Float64Array(nodes * nodes).fill(1);
    let least = 1;
    for await (const { pairIndices, scores } of this.#scanner.inGroups(thresholds, groups, counts)) {
      // By p, as the sorted table ranks them, not by z: rounding can order neighbours differently.
      const p = runToEnd(pValuesOfPairs({ pairIndices, scores }, dfGroups));
      for (const k of sortedOrder(p, 'descending')) {
        const pairIndex = pairIndices[k]!;
        if (excluded.has(pairIndex)) continue;
        least = Math.min(least, (p[k]! * table.rows) / rank--);
        qs[pairIndex] = least;
      }
    }
    return ({ pairIndices }) => gather(qs, pairIndices);
  }

  /** The rows without a score, which come last. */
  async *#unscored(
    { thresholds, counts }: ScoreBins,
    remaining: number,
    rowsPerGroup: number,
  ): AsyncGenerator<RankedPairs, void, undefined> {
    if (remaining === 0) return;
    const { table } = await this.#open();
    const bin = { first: thresholds.count + 1, end: thresholds.count + 2 };
    for await (const { pairIndices } of this.#scanner.inGroups(thresholds, [bin], counts)) {
      const all = without(ascending(pairIndices), ascending(table.excluded.pairIndices));
      for (let first = 0; first < all.length && remaining > 0; first += rowsPerGroup) {
        const some = all.subarray(first, first + rowsPerGroup);
        const ones = new Float64Array(some.length).fill(1);
        const scores = await this.#scanner.aggregatedAt(some);
        const chosen = this.#chosen({ pairIndices: some, scores, p: ones, q: ones }, remaining);
        remaining -= chosen.pairIndices.length;
        yield chosen;
      }
    }
  }
}

/** The same numbers, sorted; not copied if sorted already, as they are from a scan of scores on the host. */
function ascending(numbers: Uint32Array): Uint32Array {
  for (let at = 1; at < numbers.length; at++)
    if (numbers[at - 1]! > numbers[at]!) return numbers.slice().sort();
  return numbers;
}

/** The elements of `all` that are not in `unwanted`; both ascend. */
function without(all: Uint32Array, unwanted: Uint32Array): Uint32Array {
  let next = 0;
  return all.filter((number) => {
    while (unwanted[next]! < number) next++;
    return unwanted[next] !== number;
  });
}

/** @param scores of the array type of all scores */
function noRows({ scores }: ScoredPairs): RankedPairs {
  const none = new Uint32Array();
  return { pairIndices: none, scores: gather(scores, none), p: new Float64Array(), q: new Float64Array() };
}

function countIn(counts: Uint32Array, { first, end }: BinRange): number {
  return counts.subarray(first, end).reduce((sum, count) => sum + count, 0);
}

/** Flags of bins with more than `most` rows, among those of the first `top` rows; never bin 0 or the NaN bin. */
function largeBins(counts: Uint32Array, most: number, top: number): Uint8Array {
  const large = new Uint8Array(counts.length);
  for (let bin = counts.length - 2, before = 0; bin > 0 && before < top; bin--) {
    if (counts[bin]! > most) large[bin] = 1;
    before += counts[bin]!;
  }
  return large;
}

/** Consecutive bins in groups of about `size` rows. There is at least one group. */
function binGroups(counts: Uint32Array, size: number): BinRange[] {
  const groups: BinRange[] = [];
  let [first, held] = [0, 0];
  for (let bin = 0; bin < counts.length - 1; bin++) {
    held += counts[bin]!;
    if (held < size) continue;
    groups.push({ first, end: bin + 1 });
    [first, held] = [bin + 1, 0];
  }
  groups.push({ first, end: counts.length });
  return groups;
}

/** Sorted by score, descending, ties by pair index; without the unwanted. */
function tableOrder({ pairIndices, scores }: ScoredPairs, unwanted: ReadonlySet<number>): ScoredPairs {
  const rows = rowsWithout(pairIndices, unwanted);
  const own = gather(pairIndices, rows);
  const byPair = isRising(own) ? rows : gather(rows, sortedOrder(Float64Array.from(own), 'ascending'));
  const ordered = sortRows(gather(scores, byPair), 'descending');
  return { pairIndices: gather(pairIndices, gather(byPair, ordered.rows)), scores: ordered.values };
}

function rowsWithout(pairIndices: Uint32Array, unwanted: ReadonlySet<number>): Uint32Array {
  const rows = new Uint32Array(pairIndices.length);
  let count = 0;
  for (let row = 0; row < rows.length; row++) if (!unwanted.has(pairIndices[row]!)) rows[count++] = row;
  return rows.subarray(0, count);
}

function isRising(values: Uint32Array): boolean {
  for (let at = 1; at < values.length; at++) if (values[at]! < values[at - 1]!) return false;
  return true;
}
