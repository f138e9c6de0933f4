import type { Utf8, Vector } from 'apache-arrow';
import { gather } from '../ranking/gather.ts';
import type { RankedWithPairs } from '../ranking/rank-pairs.ts';
import type { EdgeSet } from '../ranking/row-choice.ts';
import type { ResampledScores } from '../resampling/resampled-scores.ts';
import { boolColumn, floatColumn, int32Column, nameColumn, nullColumn, type Column } from './columns.ts';
import type { ScoreColumn } from './score-column.ts';
import { uncertaintyColumns } from './uncertainty-columns.ts';

/** What the rows of an edge table have in common. */
export interface EdgeContext {
  readonly edges: EdgeSet;
  /** |S_j| of each target for partial scores */
  readonly conditioned: Int32Array | undefined;
  /** N */
  readonly nodes: number;
  readonly resampled: ResampledScores | undefined;
  readonly scoreColumn: ScoreColumn;
  /** Whether the scores have signs */
  readonly signed: boolean;
  /** Analytic standard errors of all pairs, `[source, target]`, if there are any */
  readonly standardError: Float64Array | undefined;
  /** Whether the rows have p and q; otherwise both are null */
  readonly tested: boolean;
  /** Names of the function nodes */
  readonly names: Vector<Utf8>;
}

/**
 * The columns of rows `first .. end` of a group, in the order of method.md, "The edge table"; uncertainty columns
 * follow.
 */
export function edgeColumns(
  group: RankedWithPairs,
  { edges, conditioned, nodes, names, ...context }: EdgeContext,
  first: number,
  end: number,
): Column[] {
  const { resampled, scoreColumn, signed, standardError, tested } = context;
  const pairIndices = group.pairIndices.subarray(first, end);
  const { sources, targets } = endpoints(pairIndices, nodes);
  const columns = [
    nameColumn('src_func', sources, names),
    nameColumn('dst_func', targets, names),
    int32Column('src_idx', sources),
    int32Column('dst_idx', targets),
    floatColumn(scoreColumn, group.scores.subarray(first, end)),
    boolColumn('has_edge', pairIndices.length, (row) => edges.has(pairIndices[row]!)),
  ];
  if (conditioned !== undefined) {
    const sizes = targets.map((target) => conditioned[target]!);
    columns.push(int32Column('n_cond', sizes));
  }
  columns.push(
    ...group.perPair.map((values, pair) =>
      floatColumn(`${scoreColumn}_a${pair}_g${pair + 1}`, values.subarray(first, end)),
    ),
    ...(standardError === undefined
      ? []
      : [floatColumn('standard_error', gather(standardError, pairIndices))]),
    ...(['p', 'q'] as const).map((which) =>
      tested
        ? floatColumn(`${which}_value`, group[which].subarray(first, end))
        : nullColumn(`${which}_value`, pairIndices.length),
    ),
    ...uncertaintyColumns(resampled, pairIndices, scoreColumn, signed),
  );
  return columns;
}

/** Source and target of each pair. */
function endpoints(pairIndices: Uint32Array, nodes: number): { sources: Int32Array; targets: Int32Array } {
  const sources = new Int32Array(pairIndices.length);
  const targets = new Int32Array(pairIndices.length);
  for (let row = 0; row < pairIndices.length; row++) {
    const source = Math.floor(pairIndices[row]! / nodes);
    sources[row] = source;
    targets[row] = pairIndices[row]! - source * nodes;
  }
  return { sources, targets };
}
