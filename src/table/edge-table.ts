import type { Table } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import { sortedOrder } from '../scores/order.ts';
import type { LayerAggregation, Score, ScoreMatrices } from '../scores/score-matrices.ts';
import { benjaminiHochberg, fisherPValue } from '../scores/significance.ts';
import { createPacer } from '../statistics/pacer.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import { version } from '../version.ts';
import {
  boolColumn,
  floatColumn,
  int32Column,
  nameColumn,
  nameVector,
  tableOf,
  type Column,
} from './columns.ts';
import { edgeSet, type EdgeSet } from './edge-set.ts';

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
  readonly signal?: AbortSignal | undefined;
}

/** Rows handled between two looks at the clock. */
const STEP = 1 << 16;

/**
 * The edge table (method.md, "The edge table"): one row per ordered pair, sorted by score, with p and q. Gives the
 * event loop a turn every 50 ms.
 *
 * @param conditioningSets S_j of each target; read only for partial scores
 * @throws `graph-mismatch` where the scores are for another number of function nodes than the graph has,
 *   `invalid-argument` for options out of range
 */
export async function edgeTable(
  scores: ScoreMatrices,
  graph: GsnnGraph,
  conditioningSets: RaggedIndices,
  provenance: EdgeTableProvenance,
  options: EdgeTableOptions = {},
): Promise<Table> {
  const { nodes } = scores;
  checkEdgeTableInput(scores, graph, options);
  const pace = createPacer(options.signal);
  await pace();

  const elements = pairElements(nodes, options.excludeSelf ?? true);
  const aggregated = gather(scores.aggregated, elements);
  const conditioned = provenance.score === 'partial' ? conditionedOn(conditioningSets) : undefined;
  const p = new Float64Array(elements.length);
  for (let start = 0; start < elements.length; start += STEP) {
    const end = Math.min(start + STEP, elements.length);
    for (let row = start; row < end; row++) {
      p[row] = fisherPValue(aggregated[row]!, provenance.samples, conditioned?.[elements[row]! % nodes] ?? 0);
    }
    await pace();
  }
  const byScore = sortedOrder(aggregated, 'descending');
  await pace();
  // Where all targets have the same degrees of freedom, p falls as the score rises.
  const byP = conditioned?.some((size) => size !== conditioned[0]) ? sortedOrder(p, 'ascending') : byScore;
  const q = benjaminiHochberg(p, byP);
  await pace();

  const edges = edgeSet(graph.edgeIndex['function,function'], nodes);
  const rows = selectRows(byScore, elements, q, edges, options);
  const picked = gather(elements, rows);
  await pace();
  const sources = new Int32Array(rows.length);
  const targets = new Int32Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    targets[row] = picked[row]! % nodes;
    sources[row] = (picked[row]! - targets[row]!) / nodes;
  }
  const names = nameVector(graph.nodeNames.function);
  const columns: Column[] = [
    nameColumn('src_func', sources, names),
    nameColumn('dst_func', targets, names),
    int32Column('src_idx', sources),
    int32Column('dst_idx', targets),
    floatColumn('corr', gather(aggregated, rows)),
    boolColumn('has_edge', rows.length, (row) => edges.has(picked[row]!)),
  ];
  if (conditioned !== undefined) {
    columns.push(
      int32Column(
        'n_cond',
        Int32Array.from(targets, (target) => conditioned[target]!),
      ),
    );
  }
  for (const [pair, matrix] of scores.perPair.entries()) {
    columns.push(floatColumn(`corr_a${pair}_g${pair + 1}`, gather(matrix, picked)));
    await pace();
  }
  columns.push(floatColumn('p_value', gather(p, rows)), floatColumn('q_value', gather(q, rows)));
  return tableOf(columns, schemaMetadata(scores, provenance));
}

/** Matrix elements `i * nodes + j` of the table's pairs, in the order of (source, target). */
function pairElements(nodes: number, excludeSelf: boolean): Uint32Array {
  const elements = new Uint32Array(nodes * (excludeSelf ? nodes - 1 : nodes));
  let row = 0;
  for (let element = 0; element < nodes * nodes; element++) {
    if (!excludeSelf || element % (nodes + 1) !== 0) elements[row++] = element;
  }
  return elements;
}

/** |S_j| of each target. */
function conditionedOn({ offsets }: RaggedIndices): Int32Array {
  return Int32Array.from({ length: offsets.length - 1 }, (_, j) => offsets[j + 1]! - offsets[j]!);
}

/** Row numbers to keep, in the table's order. */
function selectRows(
  byScore: Uint32Array,
  elements: Uint32Array,
  q: Float64Array,
  edges: EdgeSet,
  { candidatesOnly = false, maxQ = Infinity, top = Infinity }: EdgeTableOptions,
): Uint32Array {
  let kept = byScore;
  if (candidatesOnly) kept = kept.filter((row) => !edges.has(elements[row]!));
  if (maxQ < 1) kept = kept.filter((row) => q[row]! <= maxQ);
  return kept.subarray(0, Math.min(top, kept.length));
}

/** `values[at[k]]` for each k, in an array of the same type. */
function gather<T extends Float64Array | Float32Array | Uint32Array>(values: T, at: Uint32Array): T {
  const picked = new (values.constructor as new (length: number) => T)(at.length);
  for (let k = 0; k < at.length; k++) picked[k] = values[at[k]!]!;
  return picked;
}

function schemaMetadata(scores: ScoreMatrices, provenance: EdgeTableProvenance): Map<string, string> {
  const { samples, ...recorded } = provenance;
  return new Map(
    Object.entries({ version, ...recorded, n: samples, N: scores.nodes, P: scores.perPair.length }).map(
      ([key, value]) => [key, String(value)],
    ),
  );
}

function checkEdgeTableInput(scores: ScoreMatrices, graph: GsnnGraph, options: EdgeTableOptions): void {
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
