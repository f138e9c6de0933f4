import type { DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import { gather, gatherBlocked } from '../ranking/gather.ts';
import { sortedOrder, sortRows } from '../ranking/order.ts';
import { rankByThreads } from '../ranking/rank-by-threads.ts';
import { pickRows, rankPairs, type RankedPairs } from '../ranking/ranked-pairs.ts';
import type { ScoreScanner } from '../ranking/score-scanner.ts';
import type { ScoreMatrices } from '../scoring/score-matrices.ts';
import type { ScoreReader } from '../engine/scores/scores.ts';
import { isLargeTable, isWorthChoosing, selectPairs, type RowChoice } from '../ranking/select-pairs.ts';
import { benjaminiHochberg } from '../scoring/significance.ts';
import { streamPairs } from '../ranking/stream-pairs.ts';
import type { Yielder } from '../statistics/yielder.ts';
import { edgeSet, type EdgeSet } from './edge-set.ts';

/** Some rows of an edge table, one after the other. */
export interface RowGroup {
  readonly pairs: RankedPairs;
  /** Scores of rows `first .. end` of the group in each layer pair */
  readonly perPair: (first: number, end: number) => readonly (Float64Array | Float32Array)[];
}

/** How the rows are to come. */
export interface RowsRequest {
  readonly choice: RowChoice;
  readonly freedom: DegreesOfFreedomGroups;
  /** n */
  readonly samples: number;
  /** |S_j| of each target for partial scores */
  readonly conditioned: Int32Array | undefined;
  /** Where p does not follow from the scores: p of each element of the matrix, or none */
  readonly given: { readonly p: Float64Array | undefined } | undefined;
  /** About how many rows a group has; Infinity for all of them at once */
  readonly rowsPerGroup: number;
  readonly yielder: Yielder;
  readonly signal: AbortSignal | undefined;
}

/**
 * Rows whose pair scores are formed again at a time, where they must be: that takes all products once for so many rows, and
 * the rows some 80 bytes each until they are written.
 */
const ROWS_FORMED_AGAIN = 1 << 22;

/**
 * Nodes from which the first rows of scores on the host are chosen and not sorted whole, where all targets have the same degrees of
 * freedom, and where they differ (measured: docs/decisions.md).
 */
const CHOSEN_FROM = [2000, 4000] as const;

/** Rows that are sorted at a time where no table is held whole. */
const ROWS_SORTED = 1 << 18;

/**
 * The rows that were asked for, in the table's order. Few of them are chosen without sorting the others; many come in
 * groups that are sorted one by one, or all at once where one group was asked for. There is at least one group; some may
 * be empty.
 */
export async function* edgeRowGroups(
  reader: ScoreReader,
  nodes: number,
  request: RowsRequest,
): AsyncGenerator<RowGroup, void, undefined> {
  const { choice, freedom, yielder, signal, given } = request;
  if (given !== undefined) {
    yield await rowsWithGivenP(reader, given.p, request);
    return;
  }
  const { holdsPairs } = reader;
  const rowsPerGroup = holdsPairs ? request.rowsPerGroup : ROWS_SORTED;
  const scanner = reader.scanner(freedom.classOf, yielder, signal);
  const atHand = reader.onHost && holdsPairs;
  const leastNodes = atHand ? CHOSEN_FROM[freedom.roots.length === 1 ? 0 : 1] : 0;
  if (isWorthChoosing(choice, nodes, leastNodes)) {
    const selected = await selectPairs(scanner, freedom, choice);
    if (selected !== undefined) {
      yield wholeGroup(selected, selected.perPair);
      return;
    }
  }
  const edges = edgeSet(choice.edges, nodes);
  if (holdsPairs && (rowsPerGroup === Infinity || !isLargeTable(choice, nodes))) {
    yield await sortedRows(reader, edges, request);
    return;
  }
  let left = choice.top;
  let waiting: RankedPairs[] = [];
  let rowsWaiting = 0;
  for await (const group of streamPairs(scanner, freedom, choice.excludeSelf, rowsPerGroup)) {
    const rows = chosenRows(group, edges, { ...choice, top: left });
    const kept = rows === undefined ? group : pickRows(group, rows);
    left -= kept.elements.length;
    waiting.push(kept);
    rowsWaiting += kept.elements.length;
    if (left <= 0) break;
    await yielder();
    if (!holdsPairs && rowsWaiting < ROWS_FORMED_AGAIN) continue;
    yield* withPairScores(waiting, scanner);
    [waiting, rowsWaiting] = [[], 0];
  }
  if (waiting.length > 0) yield* withPairScores(waiting, scanner);
}

/** Groups with their pair scores, which are fetched for all of them at once. */
async function* withPairScores(
  groups: readonly RankedPairs[],
  scanner: ScoreScanner,
): AsyncGenerator<RowGroup, void, undefined> {
  const starts = [0];
  for (const { elements } of groups) starts.push(starts.at(-1)! + elements.length);
  const all = new Uint32Array(starts.at(-1)!);
  groups.forEach(({ elements }, group) => {
    all.set(elements, starts[group]);
  });
  const perPair = await scanner.perPairAt(all);
  for (const [group, pairs] of groups.entries()) {
    const own = perPair.map((values) => values.subarray(starts[group], starts[group + 1]));
    yield wholeGroup(pairs, own);
  }
}

function wholeGroup(pairs: RankedPairs, perPair: readonly (Float64Array | Float32Array)[]): RowGroup {
  return { pairs, perPair: (first, end) => perPair.map((values) => values.subarray(first, end)) };
}

/** The rows that were asked for, out of all of them, sorted. */
async function sortedRows(
  reader: ScoreReader,
  edges: EdgeSet,
  { choice, samples, conditioned, yielder }: RowsRequest,
): Promise<RowGroup> {
  const matrices = await reader.matrices();
  const { aggregated, nodes, perPair } = matrices;
  const { excludeSelf, candidatesOnly, maxQ, top } = choice;
  const large = isLargeTable(choice, nodes);
  const threads = large ? reader.threads : undefined;
  const settings = { excludeSelf, samples, conditioned, yielder };
  if (large && !candidatesOnly && maxQ >= 1 && top === Infinity) {
    // No row is left out: the scores of the layer pairs are sorted along.
    const byThreads = threads?.shared && rankByThreads(aggregated, perPair, nodes, settings, threads.shared);
    // Their engine may be released, and they with it, while its scores live on.
    const all =
      (await byThreads?.catch(() => undefined)) ??
      (await rankPairs(aggregated, nodes, settings, perPair, threads));
    return wholeGroup(all, all.perPair);
  }
  const all = await rankPairs(aggregated, nodes, settings, undefined, threads);
  const rows = chosenRows(all, edges, choice);
  const pairs = rows === undefined ? all : pickRows(all, rows);
  return { pairs, perPair: perPairOf(matrices, pairs.elements) };
}

/** The rows that were asked for, with p from elsewhere, and the q of all rows; 1 for both where there is none. */
async function rowsWithGivenP(
  reader: ScoreReader,
  pOfElements: Float64Array | undefined,
  { choice, yielder }: RowsRequest,
): Promise<RowGroup> {
  const matrices = await reader.matrices();
  const { aggregated, nodes } = matrices;
  const skip = choice.excludeSelf ? nodes + 1 : undefined;
  const { rows: elements, values: corr } = sortRows(aggregated, 'descending', skip);
  await yielder();
  const p = pOfElements ? gather(pOfElements, elements) : new Float64Array(elements.length).fill(1);
  const q = pOfElements ? benjaminiHochberg(p, sortedOrder(p, 'ascending')) : p;
  await yielder();
  const all = { elements, corr, p, q };
  const rows = chosenRows(all, edgeSet(choice.edges, nodes), choice);
  const pairs = rows === undefined ? all : pickRows(all, rows);
  return { pairs, perPair: perPairOf(matrices, pairs.elements) };
}

/** The rows that were asked for; undefined for all of them. */
function chosenRows(
  { elements, q }: RankedPairs,
  edges: EdgeSet,
  { candidatesOnly, maxQ, top }: RowChoice,
): Uint32Array | undefined {
  if (!candidatesOnly && maxQ >= 1 && top >= elements.length) return undefined;
  const rows = new Uint32Array(elements.length);
  let kept = 0;
  for (let row = 0; row < elements.length && kept < top; row++) {
    if (q[row]! <= maxQ && !(candidatesOnly && edges.has(elements[row]!))) rows[kept++] = row;
  }
  return rows.subarray(0, kept);
}

/** Scores of rows in each layer pair, read from matrices. */
function perPairOf({ perPair, aggregated }: ScoreMatrices, elements: Uint32Array): RowGroup['perPair'] {
  return (first, end) => {
    const own = elements.subarray(first, end);
    const few = own.length < aggregated.length / 4;
    return few ? perPair.map((matrix) => gather(matrix, own)) : gatherBlocked(perPair, own);
  };
}
