import type { Table } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import type { LayerAggregation, Score, ScoreMatrices } from '../scores/score-matrices.ts';
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
import { pickAll, pickRows, rankPairs, type RankedPairs } from './ranked-pairs.ts';

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

  const conditioned = provenance.score === 'partial' ? conditionedOn(conditioningSets) : undefined;
  const all = await rankPairs(scores.aggregated, nodes, {
    excludeSelf: options.excludeSelf ?? true,
    samples: provenance.samples,
    conditioned,
    pace,
  });
  const edges = edgeSet(graph.edgeIndex['function,function'], nodes);
  const { elements, corr, p, q } = selectRows(all, edges, options);
  await pace();

  const { sources, targets } = endpoints(elements, nodes);
  await pace();
  const names = nameVector(graph.nodeNames.function);
  const columns: Column[] = [
    nameColumn('src_func', sources, names),
    nameColumn('dst_func', targets, names),
    int32Column('src_idx', sources),
    int32Column('dst_idx', targets),
    floatColumn('corr', corr),
    boolColumn('has_edge', elements.length, (row) => edges.has(elements[row]!)),
  ];
  if (conditioned !== undefined)
    columns.push(
      int32Column(
        'n_cond',
        targets.map((target) => conditioned[target]!),
      ),
    );
  await pace();
  pickAll(scores.perPair, elements).forEach((values, pair) => {
    columns.push(floatColumn(`corr_a${pair}_g${pair + 1}`, values));
  });
  columns.push(floatColumn('p_value', p), floatColumn('q_value', q));
  return tableOf(columns, schemaMetadata(scores, provenance));
}

/** Source and target of each matrix element. */
function endpoints(elements: Uint32Array, nodes: number): { sources: Int32Array; targets: Int32Array } {
  const sources = new Int32Array(elements.length);
  const targets = new Int32Array(elements.length);
  for (let row = 0; row < elements.length; row++) {
    const source = Math.floor(elements[row]! / nodes);
    sources[row] = source;
    targets[row] = elements[row]! - source * nodes;
  }
  return { sources, targets };
}

/** |S_j| of each target. */
function conditionedOn({ offsets }: RaggedIndices): Int32Array {
  return Int32Array.from({ length: offsets.length - 1 }, (_, j) => offsets[j + 1]! - offsets[j]!);
}

/** The rows that were asked for, in the table's order. */
function selectRows(pairs: RankedPairs, edges: EdgeSet, options: EdgeTableOptions): RankedPairs {
  const { candidatesOnly = false, maxQ = 1, top = Infinity } = options;
  const { elements, q } = pairs;
  if (!candidatesOnly && maxQ >= 1 && top >= elements.length) return pairs;
  const rows = new Uint32Array(elements.length);
  let kept = 0;
  for (let row = 0; row < elements.length && kept < top; row++) {
    if (q[row]! <= maxQ && !(candidatesOnly && edges.has(elements[row]!))) rows[kept++] = row;
  }
  return pickRows(pairs, rows.subarray(0, kept));
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
