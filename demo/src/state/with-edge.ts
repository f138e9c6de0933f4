import type { EdgeColumns } from '../edges/edge-columns.ts';
import { identityOf } from '../results/provenance.ts';
import { labelsOf } from '../names/labels.ts';
import { refuse } from './alerts.ts';
import { result } from './edges.ts';
import { keepRun } from './kept-runs.ts';
import { phase } from './run.ts';
import { fitWorker, tableKeeper } from './workers.ts';

/**
 * Scores the samples seen by partial correlation, with the graph as it is and with one edge added, or removed if it is
 * known, and keeps both for comparison.
 */
export async function scoreWithEdge(table: EdgeColumns, source: number, target: number): Promise<void> {
  const shown = result.peek();
  if (shown?.provenance.kind !== 'fit' || phase.peek() !== 'idle') return;
  const { provenance } = shown;
  const labels = labelsOf(table.names);
  const pair = `${labels[source]!} → ${labels[target]!}`;
  const isKnown = provenance.model.facts.edges.some(([from, to]) => from === source && to === target);
  phase.value = 'comparing';
  try {
    for (const changed of [false, true]) {
      const edge = changed ? ([source, target] as const) : null;
      const bytes = await fitWorker.partialScores(provenance.params, edge);
      const opened = await tableKeeper.open(bytes, 'the edge table', provenance.model.facts.functions);
      void tableKeeper.close(opened.table);
      const label = `partial, ${changed === isKnown ? 'without' : 'with'} ${pair}`;
      const { columns } = opened;
      keepRun({ id: label, label, names: columns.names, columns }, identityOf(provenance));
    }
  } catch (error) {
    // Cancelled work rejects too, but is no longer wanted.
    if (isComparing()) refuse(error);
  }
  if (isComparing()) phase.value = 'idle';
}

/** The page may have been freed, and be busy with something else by now. */
const isComparing = (): boolean => phase.peek() === 'comparing';
