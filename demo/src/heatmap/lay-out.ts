import type { EdgeColumns } from '../edges/edge-columns.ts';
import { nodeOrder, type NodeOrderName } from '../edges/node-order.ts';
import { result, scoresOnGpu } from '../state/edges.ts';
import { fitWorker, tableWorker } from '../state/workers.ts';
import type { HeatmapLayout } from '../worker/table-protocol.ts';

/** A layout, and what the square can be drawn from. */
export interface PlacedLayout extends HeatmapLayout {
  readonly kind: NodeOrderName;
  readonly from: 'scores' | 'table';
}

/** Lays the square out: where all scores lie on the fit's GPU there, else from the rows of the table. */
export async function layOut(kind: NodeOrderName, { names }: EdgeColumns): Promise<PlacedLayout> {
  const scores = scoresOnGpu.peek();
  const from = result.peek()?.provenance;
  if (scores !== null && from?.kind === 'fit') {
    const order =
      kind === 'cluster'
        ? (await tableWorker.layOut(kind)).order
        : nodeOrder(kind, names, from.model.facts.edges);
    // A GPU that cannot draw is no reason to show nothing.
    const laid = await fitWorker.layHeatmap(scores, order).catch(() => null);
    if (laid) return { kind, order, extent: laid.extent, from: 'scores' };
  }
  return { ...(await tableWorker.layOut(kind)), kind, from: 'table' };
}
