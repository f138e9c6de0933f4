import { Table, type RecordBatch, type Schema } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import type { ResampledScores, ResamplePlan } from '../scores/resampled-scores.ts';
import type { LayerAggregation, Score, ScoreMatrices } from '../scores/score-matrices.ts';
import { freedomClasses } from '../scores/freedom.ts';
import { HostScores } from '../scores/host-scores.ts';
import { passesOf } from '../scores/passes-of.ts';
import type { Scores } from '../scores/scores.ts';
import { isWorthChoosing, selectPairs, type RowChoice, type SelectedPairs } from '../scores/select-pairs.ts';
import { createPacer, type Pacer } from '../statistics/pacer.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import { version } from '../version.ts';
import { batchOf, nameVector, schemaOf } from './columns.ts';
import { edgeColumns, perPairOf, type EdgeRows } from './edge-columns.ts';
import { edgeSet, type EdgeSet } from './edge-set.ts';
import { pickRows, rankPairs, type RankedPairs } from '../scores/ranked-pairs.ts';

/** How the scores came to be: what the table's schema metadata records. */
export interface EdgeTableProvenance {
  readonly score: Score;
  readonly layerAgg: LayerAggregation;
  readonly reduction: string;
  readonly usePreNorm: boolean;
  readonly ridge: number;
  /** Name of the loss */
  readonly loss: string;
  /** n, samples */
  readonly samples: number;
  readonly backend: string;
}

/** Which rows come back. p and q are always over all pairs. */
export interface EdgeTableOptions {
  /** Leaves out i -> i. Default true. */
  readonly excludeSelf?: boolean | undefined;
  /** Only the first rows, after the other filters */
  readonly top?: number | undefined;
  /** Only rows with q at or below this */
  readonly maxQ?: number | undefined;
  /** Only pairs that are not edges of the graph. Default false. */
  readonly candidatesOnly?: boolean | undefined;
  /** What resampling says of the scores, for columns of its own */
  readonly resampled?: ResampledScores | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The edge table (method.md, "The edge table"): one row per ordered pair, sorted by score, with p and q. Gives the
 * event loop a turn every 50 ms. Where few rows are asked for, they are chosen where the scores are, without sorting
 * the others; their p and q are the same.
 *
 * @param scores matrices, or the handle of scores, which stays the caller's
 * @param conditioningSets S_j of each target; read only for partial scores
 * @throws `graph-mismatch` where the scores are for another number of function nodes than the graph has,
 *   `invalid-argument` for options out of range
 */
export async function edgeTable(
  scores: ScoreMatrices | Scores,
  graph: GsnnGraph,
  conditioningSets: RaggedIndices,
  provenance: EdgeTableProvenance,
  options: EdgeTableOptions = {},
): Promise<Table> {
  const batches: RecordBatch[] = [];
  for await (const batch of edgeTableBatches(scores, graph, conditioningSets, provenance, {
    ...options,
    rowsPerBatch: Infinity,
  })) {
    batches.push(batch);
  }
  return new Table(batches);
}

/** As {@link EdgeTableOptions}, and how many rows come at a time. */
export interface EdgeTableBatchesOptions extends EdgeTableOptions {
  /** Default 65,536 */
  readonly rowsPerBatch?: number | undefined;
}

/**
 * The rows of {@link edgeTable} in order, as record batches of one schema, each laid out only when it is asked for:
 * a table that is written to a file as it comes needs no room for its columns. There is at least one batch.
 *
 * @throws as {@link edgeTable}, at the first batch
 */
export async function* edgeTableBatches(
  scores: ScoreMatrices | Scores,
  graph: GsnnGraph,
  conditioningSets: RaggedIndices,
  provenance: EdgeTableProvenance,
  options: EdgeTableBatchesOptions = {},
): AsyncGenerator<RecordBatch, void, undefined> {
  const { rowsPerBatch = 1 << 16 } = options;
  checkEdgeTableInput(scores, graph, options);
  if (!(rowsPerBatch >= 1 && (Number.isInteger(rowsPerBatch) || rowsPerBatch === Infinity))) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `rowsPerBatch must be a whole number of at least 1 and is ${rowsPerBatch}.`,
      { details: { option: 'rowsPerBatch', found: rowsPerBatch } },
    );
  }
  const pace = createPacer(options.signal);
  await pace();
  const conditioned = provenance.score === 'partial' ? conditionedOn(conditioningSets) : undefined;
  const edges = graph.edgeIndex['function,function'];
  const { nodes } = scores;
  const handle = 'matrices' in scores ? scores : new HostScores(scores);
  const { excludeSelf = true, top = Infinity, maxQ = 1, candidatesOnly = false } = options;
  const choice = { excludeSelf, top, maxQ, candidatesOnly, edges };
  const freedom = freedomClasses(nodes, provenance.samples, conditioned);
  const selected = isWorthChoosing(choice, nodes)
    ? await selectPairs(await passesOf(handle, freedom, pace), freedom, choice)
    : undefined;
  const { pairs, perPair } =
    selected === undefined
      ? await sortedRows(await handle.matrices(), choice, provenance.samples, conditioned, pace)
      : { pairs: selected, perPair: chosenRows(selected) };
  await pace();
  const { resampled } = options;
  const names = nameVector(graph.nodeNames.function);
  const rows = { pairs, edges: edgeSet(edges, nodes), conditioned, nodes, perPair, resampled, names };
  const count = pairs.elements.length;
  let schema: Schema | undefined;
  for (let first = 0; first < count || schema === undefined; first += rowsPerBatch) {
    const columns = edgeColumns(rows, first, Math.min(first + rowsPerBatch, count));
    schema ??= schemaOf(columns, schemaMetadata(handle, provenance, resampled?.plan));
    yield batchOf(columns, schema);
    await pace();
  }
}

/** |S_j| of each target. */
function conditionedOn({ offsets }: RaggedIndices): Int32Array {
  return Int32Array.from({ length: offsets.length - 1 }, (_, j) => offsets[j + 1]! - offsets[j]!);
}

/** The rows that were asked for, out of all of them, sorted. */
async function sortedRows(
  matrices: ScoreMatrices,
  choice: RowChoice,
  samples: number,
  conditioned: Int32Array | undefined,
  pace: Pacer,
): Promise<{ pairs: RankedPairs; perPair: EdgeRows['perPair'] }> {
  const { aggregated, nodes } = matrices;
  const { excludeSelf } = choice;
  const all = await rankPairs(aggregated, nodes, { excludeSelf, samples, conditioned, pace });
  const pairs = selectRows(all, edgeSet(choice.edges, nodes), choice);
  return { pairs, perPair: perPairOf(matrices, pairs.elements) };
}

function chosenRows({ perPair }: SelectedPairs): EdgeRows['perPair'] {
  return (first, end) => perPair.map((values) => values.subarray(first, end));
}

/** The rows that were asked for, in the table's order. */
function selectRows(
  pairs: RankedPairs,
  edges: EdgeSet,
  { candidatesOnly, maxQ, top }: RowChoice,
): RankedPairs {
  const { elements, q } = pairs;
  if (!candidatesOnly && maxQ >= 1 && top >= elements.length) return pairs;
  const rows = new Uint32Array(elements.length);
  let kept = 0;
  for (let row = 0; row < elements.length && kept < top; row++) {
    if (q[row]! <= maxQ && !(candidatesOnly && edges.has(elements[row]!))) rows[kept++] = row;
  }
  return pickRows(pairs, rows.subarray(0, kept));
}

function schemaMetadata(
  scores: Scores,
  provenance: EdgeTableProvenance,
  plan: ResamplePlan | undefined,
): Map<string, string> {
  const { samples, ...recorded } = { ...provenance, ...plan };
  return new Map(
    Object.entries({ version, ...recorded, n: samples, N: scores.nodes, P: scores.pairs }).map(
      ([key, value]) => [key, String(value)],
    ),
  );
}

function checkEdgeTableInput(scores: { nodes: number }, graph: GsnnGraph, options: EdgeTableOptions): void {
  const names = graph.nodeNames.function.length;
  if (names !== scores.nodes) {
    throw new MagnitudeEdgeError(
      'graph-mismatch',
      `The scores are for ${scores.nodes} function nodes and the graph has ${names}.`,
      { details: { expected: names, found: scores.nodes } },
    );
  }
  checkEdgeTableOptions(options);
}

/**
 * Checks the choice of rows; also before scores are computed for them.
 *
 * @throws `invalid-argument`
 */
export function checkEdgeTableOptions({ top, maxQ }: EdgeTableOptions): void {
  if (top !== undefined && !(Number.isInteger(top) && top >= 0)) {
    throw new MagnitudeEdgeError('invalid-argument', `top must be a whole number of rows and is ${top}.`, {
      details: { option: 'top', found: top },
    });
  }
  if (maxQ !== undefined && !(maxQ >= 0 && maxQ <= 1)) {
    throw new MagnitudeEdgeError('invalid-argument', `maxQ must lie between 0 and 1 and is ${maxQ}.`, {
      details: { option: 'maxQ', found: maxQ },
    });
  }
}
