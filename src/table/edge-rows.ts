import { BinnedRanking } from '../ranking/binned-ranking.ts';
import { gather } from '../ranking/gather.ts';
import { pickRows, rankPairs, type RankedPairs, type RankedWithPairs } from '../ranking/rank-pairs.ts';
import { chosenRows, isLargeTable, rowsOf, type RowChoice } from '../ranking/row-choice.ts';
import type { ScoreScanner } from '../ranking/score-scanner.ts';
import type { ScoreReader } from '../engine/scores/scores.ts';
import type { DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import type { Yielder } from '../statistics/yielder.ts';

/** Which rows to produce, and in what groups. */
export interface RowsRequest {
  /** P, layer pairs */
  readonly pairs: number;
  readonly choice: RowChoice;
  readonly dfGroups: DegreesOfFreedomGroups;
  /** If p does not follow from the scores: p of each pair, `[source, target]`, or none */
  readonly testP: { readonly p: Float64Array | undefined } | undefined;
  /** Approximate rows per group; Infinity for all of them at once */
  readonly rowsPerGroup: number;
  readonly yielder: Yielder;
  readonly signal: AbortSignal | undefined;
}

/**
 * Rows whose pair scores are recomputed at a time, if they must be: each time takes one pass over all products, and
 * each row takes some 80 bytes until it is written.
 */
const ROWS_FORMED_AGAIN = 1 << 22;

/**
 * Number of nodes from which the first rows of scores on the host are selected without sorting all rows: if all targets
 * have the same degrees of freedom, and if they differ (measured: docs/decisions.md).
 */
const CHOSEN_FROM = [2000, 4000] as const;

/** Above this share of the rows, selecting before sorting does not pay. */
const LARGEST_SHARE = 1 / 8;

/**
 * Most bytes of rows that other threads sort at once, even if the rows are requested in groups: at 2,000 nodes that
 * takes half the time, and a third more memory than the fit (docs/decisions.md).
 */
const MOST_BYTES_SORTED = 3e8;

/** Bytes of a row during sorting: its pair, its scores, p and q. */
const rowBytes = (pairs: number): number => 4 + 8 * (3 + pairs);

/** Rows sorted at a time if pair scores are not held. */
const ROWS_SORTED = 1 << 18;

/**
 * The requested rows, in the table's order. All are sorted at once, or in groups of bins of scores until there are
 * enough rows. There is at least one group; some may be empty.
 */
export async function* edgeRowGroups(
  reader: ScoreReader,
  nodes: number,
  request: RowsRequest,
): AsyncGenerator<RankedWithPairs, void, undefined> {
  const { choice, dfGroups, yielder, signal, testP } = request;
  const scanner = reader.scanner(dfGroups.classOf, yielder, signal);
  const ranking = new BinnedRanking(scanner, dfGroups, choice);
  if (testP !== undefined || !(await isBinned(reader, nodes, ranking, request))) {
    yield await sortedRows(reader, request);
    return;
  }
  const { holdsPairs } = reader;
  const sortedTogether = holdsPairs ? request.rowsPerGroup : ROWS_SORTED;
  const rowsTogether = holdsPairs ? request.rowsPerGroup : ROWS_FORMED_AGAIN;
  let waiting: RankedPairs[] = [];
  let rows = 0;
  for await (const group of ranking.groups(sortedTogether)) {
    if (rows > 0 && rows + group.pairIndices.length > rowsTogether) {
      yield await withPairScores(waiting, scanner);
      [waiting, rows] = [[], 0];
    }
    waiting.push(group);
    rows += group.pairIndices.length;
    await yielder();
  }
  yield await withPairScores(waiting, scanner);
}

/**
 * Whether rows are sorted in groups of bins: if they are requested in groups and are too many to sort at once, or if
 * only a few of many are wanted.
 */
async function isBinned(
  { holdsPairs, onHost, threads }: ScoreReader,
  nodes: number,
  ranking: BinnedRanking,
  { choice, dfGroups, pairs, rowsPerGroup }: RowsRequest,
): Promise<boolean> {
  if (!holdsPairs) return true;
  if (!isLargeTable(nodes, choice)) return false;
  const rows = rowsOf(nodes, choice);
  const sortedWhole = threads !== undefined && rows * rowBytes(pairs) <= MOST_BYTES_SORTED;
  if (rowsPerGroup < Infinity && !sortedWhole) return true;
  const leastNodes = onHost ? CHOSEN_FROM[dfGroups.roots.length === 1 ? 0 : 1] : 0;
  // There may be no rows up to a q; counting alone shows that.
  if (choice.maxQ >= 1 && nodes < leastNodes) return false;
  return (await ranking.mostRows()) <= rows * LARGEST_SHARE;
}

/** Joins groups and adds their pair scores, fetched for all of them at once. */
async function withPairScores(
  groups: readonly RankedPairs[],
  scanner: ScoreScanner,
): Promise<RankedWithPairs> {
  const [first] = groups;
  const pairs = groups.length === 1 ? first! : joined(groups);
  return { ...pairs, perPair: await scanner.perPairAt(pairs.pairIndices) };
}

function joined(groups: readonly RankedPairs[]): RankedPairs {
  const rows = groups.reduce((sum, { pairIndices }) => sum + pairIndices.length, 0);
  const single = groups[0]?.scores instanceof Float32Array;
  const all = {
    pairIndices: new Uint32Array(rows),
    scores: single ? new Float32Array(rows) : new Float64Array(rows),
    p: new Float64Array(rows),
    q: new Float64Array(rows),
  };
  let at = 0;
  for (const group of groups) {
    for (const name of ['pairIndices', 'scores', 'p', 'q'] as const) all[name].set(group[name], at);
    at += group.pairIndices.length;
  }
  return all;
}

/** The requested rows, selected after sorting all of them. */
async function sortedRows(
  reader: ScoreReader,
  { choice, dfGroups, testP, yielder }: RowsRequest,
): Promise<RankedWithPairs> {
  const matrices = await reader.matrices();
  const { nodes, aggregated } = matrices;
  const { excludeSelf, maxQ, top } = choice;
  // If most rows are wanted, the scores of layer pairs are sorted along; for few rows they are looked up.
  const most = maxQ >= 1 && top >= rowsOf(nodes, choice) / 4;
  const perPair = most ? matrices.perPair : [];
  const threads = isLargeTable(nodes, choice) ? reader.threads : undefined;
  const settings = { excludeSelf, dfGroups, testP, yielder };
  const all = await rankPairs({ nodes, aggregated, perPair }, settings, threads);
  const rows = chosenRows(all, choice);
  if (rows === undefined && most) return all;
  const pairs = rows === undefined ? all : pickRows(all, rows);
  const picked = most
    ? all.perPair.map((values) => gather(values, rows!))
    : matrices.perPair.map((matrix) => gather(matrix, pairs.pairIndices));
  return { ...pairs, perPair: picked };
}
