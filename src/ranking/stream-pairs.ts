import { type DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import { sortedOrder } from './order.ts';
import { pValuesOfPairs } from './p-values.ts';
import { QValues } from './q-values.ts';
import type { RankedPairs } from './ranked-pairs.ts';
import type { BinRange, ScoredElements, ScoreScanner } from './score-scanner.ts';
import { DEFAULT_TUNING, pairsLeftOut, tableOrder } from './select-pairs.ts';
import { fisherZ } from '../scoring/significance.ts';
import { BinLookup, evenEdges, scoreThresholds, zThresholds, type Thresholds } from './thresholds.ts';
import { splitBins, withoutExcluded } from './z-bins.ts';

/** Bins of the first count of scores, and of later ones. */
const BINS = 1 << 12;

/** Counts at most, until every bin has few enough rows. */
const ROUNDS = 4;

/**
 * All rows of the table in its order, some at a time: groups of bins of scores are sorted each by itself, so that
 * nothing of the size of a column is held but the places of the pairs and, where degrees of freedom differ, their q.
 *
 * @param rowsPerGroup rows that come at a time, about; more where so many scores are equal
 */
export async function* streamPairs(
  scanner: ScoreScanner,
  freedom: DegreesOfFreedomGroups,
  excludeSelf: boolean,
  rowsPerGroup: number,
): AsyncGenerator<RankedPairs, void, undefined> {
  const { nodes } = scanner;
  const rows = excludeSelf ? nodes * (nodes - 1) : nodes * nodes;
  const notRows = await pairsLeftOut(scanner, excludeSelf);
  const unwanted = new Set(notRows.elements);
  const { thresholds, counts, groups } = await fallingGroups(scanner, freedom, rowsPerGroup);
  const qOf =
    freedom.roots.length === 1
      ? await qInOrder(scanner, freedom, notRows, rows, thresholds, groups)
      : await qByElement(scanner, freedom, notRows, rows, rowsPerGroup);
  let [group, rank] = [0, 0];
  for await (const found of scanner.inGroups(thresholds, groups, counts)) {
    const { elements, scores: corr } = tableOrder(found, unwanted);
    const pairs = { elements, scores: corr };
    const p = pValuesOfPairs(pairs, freedom);
    const q = qOf(pairs, p, group++, rank);
    rank += elements.length;
    yield { elements, corr, p, q };
  }
  // What has no score comes last.
  const none = { first: thresholds.count + 1, end: thresholds.count + 2 };
  for await (const found of scanner.inGroups(thresholds, [none], counts)) {
    const elements = found.elements.filter((element) => !unwanted.has(element)).sort();
    for (let first = 0; first < elements.length; first += rowsPerGroup) {
      const some = elements.subarray(first, first + rowsPerGroup);
      const ones = new Float64Array(some.length).fill(1);
      const corr = await scanner.aggregatedAt(some);
      yield { elements: some, corr, p: ones, q: ones };
    }
  }
}

/** q of the sorted rows of a group, the first of which has rank `rank + 1`. */
type GroupQ = (pairs: ScoredElements, p: Float64Array, group: number, rank: number) => Float64Array;

/** Groups of bins of scores, the highest first, that have some `rowsPerGroup` scores each. */
async function fallingGroups(
  scanner: ScoreScanner,
  freedom: DegreesOfFreedomGroups,
  rowsPerGroup: number,
): Promise<{ thresholds: Thresholds; counts: Uint32Array; groups: BinRange[] }> {
  let edges: Float64Array = Float64Array.from({ length: BINS }, (_, k) => -1 + (2 * k) / BINS);
  for (let round = 1; ; round++) {
    const thresholds = scoreThresholds(freedom, edges, -Infinity);
    const counts = await scanner.count(thresholds);
    const large = Uint8Array.from(counts, (count) => (count > rowsPerGroup / 4 ? 1 : 0));
    if (round < ROUNDS && large.subarray(0, -1).includes(1)) {
      const finer = splitBins(Float64Array.of(...edges, 1 + 1e-6), large, 2 * BINS);
      if (finer.length > edges.length + 1) {
        edges = finer.subarray(0, -1);
        continue;
      }
    }
    const groups: BinRange[] = [];
    let [end, held] = [thresholds.count + 1, 0];
    for (let bin = end - 1; bin >= 1; bin--) {
      if (held > 0 && held + counts[bin]! > rowsPerGroup) {
        groups.push({ first: bin + 1, end });
        [end, held] = [bin + 1, 0];
      }
      held += counts[bin]!;
    }
    groups.push({ first: 1, end });
    return { thresholds, counts, groups };
  }
}

/** Where p rises as scores fall: ranks are places in the table, and later groups matter by their least ratio alone. */
async function qInOrder(
  scanner: ScoreScanner,
  freedom: DegreesOfFreedomGroups,
  notRows: ScoredElements,
  rows: number,
  thresholds: Thresholds,
  groups: readonly BinRange[],
): Promise<GroupQ> {
  const root = freedom.roots[0]!;
  // Between a group and the next: a little above, so that no row of the next one counts as the former's.
  const borders = Float64Array.from(groups.slice(0, -1), ({ first }) => {
    const z = fisherZ(thresholds.values[first - 1]!, root);
    return z + 1e-12 * Math.max(1, Math.abs(z));
  });
  const edges = Float64Array.from(new Set([...evenEdges(freedom, DEFAULT_TUNING.bins), ...borders])).sort();
  const q = await QValues.create(scanner, freedom, edges, notRows, rows, DEFAULT_TUNING);
  const later = Float64Array.of(...(await q.below(borders)), 1);
  return (_, p, group, rank) => {
    const own = new Float64Array(p.length);
    let least = later[group]!;
    for (let row = p.length - 1; row >= 0; row--) {
      least = Math.min(least, (p[row]! * rows) / (rank + row + 1));
      own[row] = least;
    }
    return own;
  };
}

/** Where degrees of freedom differ: the rows by falling p give each its q, which is kept. */
async function qByElement(
  scanner: ScoreScanner,
  freedom: DegreesOfFreedomGroups,
  notRows: ScoredElements,
  rows: number,
  rowsPerGroup: number,
): Promise<GroupQ> {
  const { nodes } = scanner;
  const unwanted = new Set(notRows.elements);
  const thresholds = zThresholds(freedom, evenEdges(freedom, DEFAULT_TUNING.bins));
  const counts = await scanner.count(thresholds);
  const own = counts.slice();
  withoutExcluded(own, new BinLookup(thresholds), freedom, notRows);
  const groups: BinRange[] = [];
  let [first, held, rank] = [0, 0, 0];
  for (let bin = 0; bin <= thresholds.count; bin++) {
    if (held > 0 && held + counts[bin]! > rowsPerGroup) {
      groups.push({ first, end: bin });
      [first, held] = [bin, 0];
    }
    held += counts[bin]!;
    rank += own[bin]!;
  }
  groups.push({ first, end: thresholds.count + 1 });
  const qs = new Float64Array(nodes * nodes).fill(1);
  let least = 1;
  for await (const { elements, scores } of scanner.inGroups(thresholds, groups, counts)) {
    // By p, as the sorted table ranks them, not by z: rounding can order neighbours differently.
    const p = pValuesOfPairs({ elements, scores }, freedom);
    for (const k of sortedOrder(p, 'descending')) {
      const element = elements[k]!;
      if (unwanted.has(element)) continue;
      least = Math.min(least, (p[k]! * rows) / rank--);
      qs[element] = least;
    }
  }
  return ({ elements }) => Float64Array.from(elements, (element) => qs[element]!);
}
