import { Table, type RecordBatch, type Schema } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import type { ResampledScores, ResamplePlan } from '../resampling/resampled-scores.ts';
import type { Correlation, EdgeScore, ScoreAggregation, ScoreMatrices } from '../scoring/score-matrices.ts';
import { degreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import { HostScores, ScoreArrays } from '../engine/scores/host-scores.ts';
import type { ScoreReader, Scores } from '../engine/scores/scores.ts';
import { coverageOf, type ScoreCoverage } from '../engine/scores/unscored.ts';
import { createYielder } from '../statistics/yielder.ts';
import type { RankedWithPairs } from '../ranking/rank-pairs.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import { version } from '../version.ts';
import { batchOf, nameVector, schemaOf } from './columns.ts';
import { coverageMetadata } from './coverage-metadata.ts';
import { edgeColumns } from './edge-columns.ts';
import { edgeRowGroups } from './edge-rows.ts';
import { edgeSet } from './edge-set.ts';
import { scoreColumn } from './score-column.ts';

/** How the scores were computed, as recorded in the table's schema metadata. */
export interface EdgeTableProvenance {
  readonly score: EdgeScore;
  readonly layerAgg: ScoreAggregation;
  /** Recorded unless 'pearson' */
  readonly correlation?: Correlation | undefined;
  /** Of magnitudes */
  readonly reduction?: string | undefined;
  readonly usePreNorm: boolean;
  /** Of partial correlations; recorded with all correlations */
  readonly ridge?: number | undefined;
  /** Of regression and channel scores */
  readonly lambda?: number | undefined;
  /** Recorded if given */
  readonly varianceFloor?: number | undefined;
  /** Name of the loss */
  readonly loss: string;
  /** n, samples */
  readonly samples: number;
  readonly backend: string;
  /** Of the backend, recorded unless 'exact' */
  readonly precision?: string | undefined;
  /** Where the scores were computed from the backend's statistics, if elsewhere */
  readonly solver?: string | undefined;
}

/** Which rows are returned. p and q are always over all pairs. */
export interface EdgeTableOptions {
  /** Leaves out i -> i. Default true. */
  readonly excludeSelf?: boolean | undefined;
  /** Only the first rows, after the other filters */
  readonly top?: number | undefined;
  /** Only rows with q at or below this */
  readonly maxQ?: number | undefined;
  /** Only pairs that are not edges of the graph. Default false. */
  readonly candidatesOnly?: boolean | undefined;
  /** Results of resampling, for columns of their own */
  readonly resampled?: ResampledScores | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The edge table (method.md, "The edge table"): one row per ordered pair, sorted by score, with p and q. Yields to the
 * event loop every 50 ms. If few rows are requested, they are selected where the scores are, without sorting the
 * others; their p and q are the same.
 *
 * @param scores matrices, or a handle of scores, which the caller keeps
 * @param conditioningSets S_j of each target; read only for partial scores
 * @throws `graph-mismatch` if the scores are for another number of function nodes than the graph has,
 * `invalid-argument` for options out of range, `out-of-memory` for a table of more than 4 GiB
 */
export async function edgeTable(
  scores: ScoreMatrices | Scores,
  graph: GsnnGraph,
  conditioningSets: RaggedIndices,
  provenance: EdgeTableProvenance,
  options: EdgeTableOptions = {},
): Promise<Table> {
  checkEdgeTableInput(scores, graph, options);
  checkTableSize(scores.nodes, provenance.score, pairsOf(scores), options);
  const batches: RecordBatch[] = [];
  let rows = 0;
  for await (const batch of edgeTableBatches(scores, graph, conditioningSets, provenance, {
    ...options,
    rowsPerBatch: Infinity,
  })) {
    rows += batch.numRows;
    // The number of rows with a q up to the limit is known only once they arrive.
    checkTableSize(scores.nodes, provenance.score, pairsOf(scores), { top: rows });
    batches.push(batch);
  }
  return new Table(batches);
}

/** What a table records about its scores. */
interface TableSubject {
  readonly graph: GsnnGraph;
  readonly conditioningSets: RaggedIndices;
  readonly provenance: EdgeTableProvenance;
}

/** As {@link EdgeTableOptions}, and the size of the batches. */
export interface EdgeTableBatchesOptions extends EdgeTableOptions {
  /** Most rows of a batch. Default 65,536 */
  readonly rowsPerBatch?: number | undefined;
}

/**
 * The rows of {@link edgeTable} in order, as record batches of one schema, each built only on request. Large tables are
 * sorted piece by piece: besides the scores, a table that is written to a file as it is produced takes 4 bytes per row,
 * and 8 more if the sizes of conditioning sets differ. Tables that an engine's workers can sort in 300 MB are sorted
 * whole, in half the time. There is at least one batch.
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
  const handle = 'matrices' in scores ? scores : new HostScores(new ScoreArrays(scores));
  const reader = handle.reader();
  try {
    yield* batchesOf(handle, reader, { graph, conditioningSets, provenance }, { ...options, rowsPerBatch });
  } finally {
    reader.release();
  }
}

/** The batches, from scores that must not change meanwhile. */
async function* batchesOf(
  handle: Scores,
  reader: ScoreReader,
  { graph, conditioningSets, provenance }: TableSubject,
  options: EdgeTableBatchesOptions & { readonly rowsPerBatch: number },
): AsyncGenerator<RecordBatch, void, undefined> {
  const { rowsPerBatch } = options;
  const yielder = createYielder(options.signal);
  await yielder();
  const conditioned = provenance.score === 'partial' ? conditionedOn(conditioningSets) : undefined;
  const edges = graph.edgeIndex['function,function'];
  const { nodes } = handle;
  const { excludeSelf = true, top = Infinity, maxQ = 1, candidatesOnly = false } = options;
  const known = edgeSet(edges, nodes);
  const choice = { excludeSelf, top, maxQ, candidatesOnly, edges: known };
  const dfGroups = degreesOfFreedomGroups(nodes, provenance.samples, conditioned);
  const testP = testPOf(handle, provenance.score, options.resampled);
  const context = {
    edges: known,
    conditioned,
    nodes,
    resampled: options.resampled,
    scoreColumn: scoreColumn(provenance.score),
    signed: provenance.score !== 'channel',
    standardError: handle.tests?.standardError,
    tested: testP === undefined || testP.p !== undefined,
    names: nameVector(graph.nodeNames.function),
  };
  const coverage = await coverageOf(reader, handle, {
    conditioningSets: provenance.score === 'partial' ? conditioningSets : undefined,
    edges,
    excludeSelf,
    yielder,
  });
  const rowsPerGroup = Math.max(rowsPerBatch, ROWS_PER_GROUP);
  let schema: Schema | undefined;
  const batch = (group: RankedWithPairs, first: number, end: number): RecordBatch => {
    const columns = edgeColumns(group, context, first, end);
    schema ??= schemaOf(columns, schemaMetadata(handle, provenance, coverage, options.resampled?.plan));
    return batchOf(columns, schema);
  };
  let last: RankedWithPairs | undefined;
  for await (const group of edgeRowGroups(reader, nodes, {
    pairs: handle.pairs,
    choice,
    dfGroups,
    testP,
    rowsPerGroup,
    yielder,
    signal: options.signal,
  })) {
    last = group;
    const count = group.pairIndices.length;
    for (let first = 0; first < count; first += rowsPerBatch) {
      yield batch(group, first, Math.min(first + rowsPerBatch, count));
      await yielder();
    }
  }
  if (schema === undefined && last !== undefined) yield batch(last, 0, 0);
}

/**
 * p of each pair, `[source, target]`, if it does not follow from the score itself: from standard errors, or from
 * shuffles.
 */
function testPOf(
  { tests }: Scores,
  score: EdgeScore,
  resampled: ResampledScores | undefined,
): { readonly p: Float64Array | undefined } | undefined {
  if (tests !== undefined) return { p: tests.pValues };
  return scoreColumn(score) === 'score' ? { p: resampled?.empiricalP } : undefined;
}

/** Rows sorted at a time for a table in batches. */
const ROWS_PER_GROUP = 1 << 18;

/** |S_j| of each target. */
function conditionedOn({ offsets }: RaggedIndices): Int32Array {
  return Int32Array.from({ length: offsets.length - 1 }, (_, j) => offsets[j + 1]! - offsets[j]!);
}

function schemaMetadata(
  scores: Scores,
  provenance: EdgeTableProvenance,
  coverage: ScoreCoverage,
  plan: ResamplePlan | undefined,
): Map<string, string> {
  const { samples, ...recorded } = { ...provenance, ...plan };
  return new Map(
    Object.entries({
      version,
      ...recorded,
      n: samples,
      N: scores.nodes,
      P: scores.pairs,
      ...coverageMetadata(coverage),
    })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, String(value)]),
  );
}

function checkEdgeTableInput(scores: { nodes: number }, graph: GsnnGraph, options: EdgeTableOptions): void {
  const names = graph.nodeNames.function.length;
  if (names !== scores.nodes) {
    throw new MagnitudeEdgeError(
      'graph-mismatch',
      `The scores are for ${scores.nodes} function nodes, but the graph has ${names}.`,
      { details: { expected: names, found: scores.nodes } },
    );
  }
  checkEdgeTableOptions(options);
}

/** Most bytes of a table held whole: what a page may have in total. */
const MOST_TABLE_BYTES = 2 ** 32;

/**
 * Checks that a table can be held whole; also used before its scores are computed.
 *
 * @throws `out-of-memory` if it cannot; never if the number of rows depends on their q
 */
export function checkTableSize(
  nodes: number,
  score: EdgeScore,
  pairs: number,
  { excludeSelf = true, top = Infinity, maxQ = 1 }: EdgeTableOptions,
): void {
  const rows = Math.min(top, excludeSelf ? nodes * (nodes - 1) : nodes ** 2);
  // Four int32 columns and one bit, n_cond, and float64 for the rest, including standard errors of regressions.
  const bytes = Math.ceil(
    rows * (16 + 1 / 8 + (score === 'partial' ? 4 : 0) + 8 * (3 + pairs + (score === 'regression' ? 1 : 0))),
  );
  if (maxQ < 1 || bytes <= MOST_TABLE_BYTES) return;
  throw new MagnitudeEdgeError(
    'out-of-memory',
    `A table of ${rows} rows takes ${bytes} bytes, but a table may have at most ${MOST_TABLE_BYTES}: ask for fewer rows ` +
      '(top, maxQ), or read them in batches (evaluateBatches).',
    { details: { nodes, rows, bytes, most: MOST_TABLE_BYTES } },
  );
}

function pairsOf(scores: ScoreMatrices | Scores): number {
  return 'matrices' in scores ? scores.pairs : scores.perPair.length;
}

/**
 * Checks the choice of rows; also used before scores are computed for them.
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
