import type { FunctionEdges } from '../scoring/conditioning-sets.ts';
import type { DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import { sortedOrder } from './order.ts';
import { QValues, type QTuning } from './q-values.ts';
import { pValuesOfPairs } from './p-values.ts';
import { gather } from './gather.ts';
import { pickRows, type RankedPairs } from './ranked-pairs.ts';
import type { ScoredElements, ScoreScanner } from './score-scanner.ts';
import { BinLookup, evenEdges, scoreThresholds } from './thresholds.ts';
import { withoutExcluded } from './z-bins.ts';

/** Which rows of the table come back. p and q are over all of its rows. */
export interface RowChoice {
  readonly excludeSelf: boolean;
  /** Rows at most, the first of the others' choice */
  readonly top: number;
  /** Only rows of q up to this */
  readonly maxQ: number;
  /** Only pairs that are no edges */
  readonly candidatesOnly: boolean;
  readonly edges: FunctionEdges;
}

/** Rows of the table, and their scores in each layer pair. */
export interface SelectedPairs extends RankedPairs {
  readonly perPair: readonly (Float64Array | Float32Array)[];
}

/** Tables with fewer rows than this are sorted whole. */
const FEW_ROWS = 1 << 16;

/** Rows of one bin of scores that are fetched for nothing rather than counted anew. */
const SPARE_ROWS = 1 << 16;

/** When to choose rows, and how finely to count for it. */
export interface SelectionTuning extends QTuning {
  /** More than this share of the rows is not worth choosing before sorting. */
  readonly largestShare: number;
}

export const DEFAULT_TUNING: SelectionTuning = {
  bins: 1 << 13,
  mostBins: 1 << 16,
  budget: 1 << 19,
  rounds: 4,
  largestShare: 1 / 8,
};

/**
 * Whether {@link selectPairs} should be asked: not for small tables, nor for most rows.
 *
 * @param leastNodes for the first rows. Up to a q there may be none, which counting alone shows
 */
export function isWorthChoosing(choice: RowChoice, nodes: number, leastNodes: number): boolean {
  if (!isLargeTable(choice, nodes)) return false;
  if (choice.maxQ < 1) return true;
  return nodes >= leastNodes && choice.top <= rowsOf(nodes, choice) * DEFAULT_TUNING.largestShare;
}

/** Whether there are so many rows that sorting them whole is to be avoided. */
export function isLargeTable(choice: RowChoice, nodes: number): boolean {
  return rowsOf(nodes, choice) >= FEW_ROWS;
}

function rowsOf(nodes: number, { excludeSelf }: RowChoice): number {
  return nodes * (nodes - (excludeSelf ? 1 : 0));
}

/**
 * The rows of the table that were asked for, in its order and with exact p and q, from a few passes over the scores
 * that bring back little more than the rows themselves.
 *
 * @param tuning for tests
 * @returns undefined where so many rows are asked for that sorting them all is the way
 */
export async function selectPairs(
  scanner: ScoreScanner,
  freedom: DegreesOfFreedomGroups,
  choice: RowChoice,
  tuning: SelectionTuning = DEFAULT_TUNING,
): Promise<SelectedPairs | undefined> {
  const { nodes } = scanner;
  const { excludeSelf, top, maxQ, candidatesOnly } = choice;
  const rows = rowsOf(nodes, choice);
  const most = rows * tuning.largestShare;
  if (maxQ >= 1 && top > most) return undefined;
  const { bins } = tuning;
  const notRows = await pairsLeftOut(scanner, excludeSelf);
  const q = await QValues.create(scanner, freedom, evenEdges(freedom, bins), notRows, rows, tuning);
  const cut = maxQ >= 1 ? undefined : await q.cutoff(maxQ);
  if (Math.min(cut?.rows ?? Infinity, top) > most) return undefined;
  const leastZ = cut?.leastZ ?? -Infinity;
  const unwanted = candidatesOnly ? await withEdges(scanner, notRows, choice.edges, excludeSelf) : notRows;
  for (let want = top; ; want *= 2) {
    const found =
      leastZ === Infinity || want === 0
        ? { elements: new Uint32Array(), scores: gather(notRows.scores, new Uint32Array()), all: true }
        : await firstRows(scanner, freedom, unwanted, want, leastZ, bins);
    // Fewer scores than rows asked for: rows without a score are among them.
    if (maxQ >= 1 && found.elements.length < want) return undefined;
    const qs = await q.of(found);
    const kept: number[] = [];
    for (let row = 0; row < qs.length && kept.length < top; row++) if (qs[row]! <= maxQ) kept.push(row);
    if (kept.length < top && !found.all) continue;
    const pairs = pickRows(
      { ...found, corr: found.scores, p: pValuesOfPairs(found, freedom), q: qs },
      Uint32Array.from(kept),
    );
    return { ...pairs, perPair: await scanner.perPairAt(pairs.elements) };
  }
}

/** Pairs that are no rows of the table: i -> i, where those are left out. */
export async function pairsLeftOut(scanner: ScoreScanner, excludeSelf: boolean): Promise<ScoredElements> {
  const { nodes } = scanner;
  const elements = Uint32Array.from({ length: excludeSelf ? nodes : 0 }, (_, i) => i * nodes + i);
  return { elements, scores: await scanner.aggregatedAt(elements) };
}

async function withEdges(
  scanner: ScoreScanner,
  { elements, scores }: ScoredElements,
  [sources, targets]: FunctionEdges,
  excludeSelf: boolean,
): Promise<ScoredElements> {
  const edges = new Set<number>();
  for (let e = 0; e < sources.length; e++) {
    if (excludeSelf && sources[e] === targets[e]) continue;
    edges.add(sources[e]! * scanner.nodes + targets[e]!);
  }
  const added = Uint32Array.from(edges);
  const both = { elements: new Uint32Array(elements.length + edges.size), scores: new Float64Array() };
  both.elements.set(elements);
  both.elements.set(added, elements.length);
  both.scores = new Float64Array(both.elements.length);
  both.scores.set(scores);
  both.scores.set(await scanner.aggregatedAt(added), elements.length);
  return both;
}

/** The first `want` pairs whose z reaches `leastZ`, in the table's order; `all` where there are no more of them. */
async function firstRows(
  scanner: ScoreScanner,
  freedom: DegreesOfFreedomGroups,
  unwanted: ScoredElements,
  want: number,
  leastZ: number,
  bins: number,
): Promise<ScoredElements & { readonly all: boolean }> {
  let edges = Float64Array.from({ length: bins }, (_, k) => -1 + (2 * k) / bins);
  for (;;) {
    const thresholds = scoreThresholds(freedom, edges, leastZ);
    const raw = await scanner.count(thresholds);
    const counts = raw.slice();
    withoutExcluded(counts, new BinLookup(thresholds), freedom, unwanted);
    const end = edges.length + 1;
    let bin = end;
    let found = 0;
    while (found < want && bin > 1) found += counts[--bin]!;
    if (found - want > Math.max(SPARE_ROWS, want) && bin < edges.length) {
      const [from, to] = [edges[bin - 1]!, edges[bin]!];
      const finer = Float64Array.from({ length: bins }, (_, k) => from + ((to - from) * k) / bins);
      if (finer[1]! > from) {
        edges = finer;
        continue;
      }
    }
    const wanted = new Uint8Array(counts.length).fill(1, bin, end);
    const most = raw.subarray(bin, end).reduce((total, count) => total + count, 0);
    const rows = tableOrder(await scanner.collect(thresholds, wanted, most), new Set(unwanted.elements));
    // Bins below the finer ones hold rows, too.
    const all = bin === 1 && edges[0] === -1;
    return { ...firstOf(rows, want), all: all && rows.elements.length <= want };
  }
}

/** By score, descending, ties by element; without some. */
export function tableOrder(
  { elements, scores }: ScoredElements,
  unwanted: ReadonlySet<number>,
): ScoredElements {
  const byElement = sortedOrder(Float64Array.from(elements), 'ascending').filter(
    (row) => !unwanted.has(elements[row]!),
  );
  const order = sortedOrder(gather(scores, byElement), 'descending').map((at) => byElement[at]!);
  return { elements: order.map((row) => elements[row]!), scores: gather(scores, order) };
}

function firstOf({ elements, scores }: ScoredElements, count: number): ScoredElements {
  return { elements: elements.subarray(0, count), scores: scores.subarray(0, count) };
}
