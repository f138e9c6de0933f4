import type { Table } from 'apache-arrow';
import type { GsnnGraph } from '../model/graph.ts';
import type { Selection, SelectionPlan } from '../scoring/select-edges.ts';
import { version } from '../version.ts';
import { floatColumn, int32Column, nameColumn, nameVector, tableOf } from './columns.ts';
import type { EdgeTableProvenance } from './edge-table.ts';
import { scoreColumn } from './score-column.ts';

/**
 * The edges of a selection in the order in which they were selected (method.md, "Stagewise selection"). The schema
 * metadata record its settings, and why it ended.
 */
export function selectionTable(
  { edges, ended }: Selection,
  graph: GsnnGraph,
  { samples, ...provenance }: EdgeTableProvenance,
  plan: SelectionPlan,
): Table {
  const names = nameVector(graph.nodeNames.function);
  const whole = (of: (edge: Selection['edges'][number]) => number): Int32Array => Int32Array.from(edges, of);
  const [sources, targets] = [whole(({ source }) => source), whole(({ target }) => target)];
  const recorded = { version, ...provenance, n: samples, N: graph.nodeNames.function.length, ...plan, ended };
  const metadata = Object.entries(recorded).filter(([, value]) => value !== undefined);
  return tableOf(
    [
      int32Column(
        'step',
        whole(({ step }) => step),
      ),
      nameColumn('src_func', sources, names),
      nameColumn('dst_func', targets, names),
      int32Column('src_idx', sources),
      int32Column('dst_idx', targets),
      floatColumn(
        scoreColumn(provenance.score),
        Float64Array.from(edges, ({ score }) => score),
      ),
      int32Column(
        'n_cond',
        whole(({ conditioned }) => conditioned),
      ),
    ],
    new Map(metadata.map(([key, value]) => [key, String(value)])),
  );
}
