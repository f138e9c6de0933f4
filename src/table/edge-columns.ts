import type { Utf8, Vector } from 'apache-arrow';
import { gather } from '../ranking/gather.ts';
import type { ResampledScores } from '../resampling/resampled-scores.ts';
import { boolColumn, floatColumn, int32Column, nameColumn, nullColumn, type Column } from './columns.ts';
import type { RowGroup } from './edge-rows.ts';
import type { EdgeSet } from './edge-set.ts';
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
  /** Analytic standard errors of the elements of the matrix, where there are any */
  readonly standardError: Float64Array | undefined;
  /** Whether the rows have p and q; null where not */
  readonly tested: boolean;
  /** Names of the function nodes */
  readonly names: Vector<Utf8>;
}

/** The columns of rows `first .. end` of a group, in the order of method.md, "The edge table"; those of
 * uncertainty follow. */
export function edgeColumns(
  { pairs, perPair }: RowGroup,
  { edges, conditioned, nodes, names, ...context }: EdgeContext,
  first: number,
  end: number,
): Column[] {
  const { resampled, scoreColumn, signed, standardError, tested } = context;
  const elements = pairs.elements.subarray(first, end);
  const { sources, targets } = endpoints(elements, nodes);
  const columns = [
    nameColumn('src_func', sources, names),
    nameColumn('dst_func', targets, names),
    int32Column('src_idx', sources),
    int32Column('dst_idx', targets),
    floatColumn(scoreColumn, pairs.corr.subarray(first, end)),
    boolColumn('has_edge', elements.length, (row) => edges.has(elements[row]!)),
  ];
  if (conditioned !== undefined) {
    const sizes = targets.map((target) => conditioned[target]!);
    columns.push(int32Column('n_cond', sizes));
  }
  columns.push(
    ...perPair(first, end).map((values, pair) => floatColumn(`${scoreColumn}_a${pair}_g${pair + 1}`, values)),
    ...(standardError === undefined ? [] : [floatColumn('standard_error', gather(standardError, elements))]),
    ...(['p', 'q'] as const).map((which) =>
      tested
        ? floatColumn(`${which}_value`, pairs[which].subarray(first, end))
        : nullColumn(`${which}_value`, elements.length),
    ),
    ...uncertaintyColumns(resampled, elements, scoreColumn, signed),
  );
  return columns;
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
