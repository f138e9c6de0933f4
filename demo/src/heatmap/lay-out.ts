import type { EdgeColumns } from '../edges/edge-columns.ts';
import { nodeOrder, type NodeOrderName } from '../edges/node-order.ts';
import { result, scoresOnGpu } from '../state/edges.ts';
import { fitWorker, tableWorker } from '../state/workers.ts';
import type { HeatmapLayout } from '../worker/table-protocol.ts';

/** A layout, and the source from which the square is drawn. */
export interface PlacedLayout extends HeatmapLayout {
  readonly kind: NodeOrderName;
  readonly from: 'scores' | 'table';
}

/** Lays the square out: on the fit's GPU if it holds all scores, else from the rows of the table. */
export async function layOut(kind: NodeOrderName, { names }: EdgeColumns): Promise<PlacedLayout> {
  const scores = scoresOnGpu.peek();
  const from = result.peek()?.provenance;
  if (scores !== null && from?.kind === 'fit') {
    const order =
      kind === 'cluster'
        ? (await tableWorker.layOut(kind)).order
        : nodeOrder(kind, names, from.model.facts.edges);
    // If the GPU cannot draw, fall back to the table.
    const laid = await fitWorker.layHeatmap(scores, order).catch(() => null);
    if (laid) return { kind, order, extent: laid.extent, from: 'scores' };
  }
  return { ...(await tableWorker.layOut(kind)), kind, from: 'table' };
}
