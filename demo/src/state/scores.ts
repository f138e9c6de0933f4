import type { OpenedTable } from '../worker/table-protocol.ts';
import type { Provenance } from '../results/provenance.ts';
import type { ScoredTable } from '../worker/protocol.ts';
import { WorkerRefusal } from '../worker/rpc.ts';
import { refuse } from './alerts.ts';
import { edgesVersion, result, showNoResult, showResult, sort } from './edges.ts';
import { params } from './params.ts';
import { requestedFilter } from './requested-filter.ts';
import { beginScoring, fitRun, isCurrentScoring, unscored } from './run.ts';
import { fitWorker, questionsAbout, tableKeeper } from './workers.ts';

/**
 * Scores the samples seen with the current parameters, and shows the table. False if it does not come: another table
 * was requested meanwhile, or the scoring was cancelled.
 */
export const showScores = (): Promise<boolean> => show(() => fitWorker.evaluate(params.value));

/** As {@link showScores}, with the columns of uncertainty. */
export const showUncertainty = (): Promise<boolean> => show((turn) => fitWorker.resample(params.value, turn));

async function show(ask: (turn: number) => Promise<ScoredTable>): Promise<boolean> {
  const turn = beginScoring();
  try {
    const { bytes, provenance, onGpu } = await ask(turn);
    if (!isCurrentScoring(turn)) return false;
    const opened = await tableKeeper.open(bytes, 'the edge table', provenance.model.facts.functions);
    if (!isCurrentScoring(turn)) {
      void tableKeeper.close(opened.table);
      return false;
    }
    await putOnShow(opened, provenance, onGpu);
    unscored.value = null;
  } catch (error) {
    if (error instanceof WorkerRefusal && error.code === 'AbortError') return false;
    if (isCurrentScoring(turn)) fail(error);
  }
  return isCurrentScoring(turn);
}

/** Shows a table with its rows in order, and closes the previous one. */
export async function putOnShow(
  { table, columns }: OpenedTable,
  provenance: Provenance,
  onGpu: number | null,
): Promise<void> {
  const order = await questionsAbout(table).rows(sort.peek(), requestedFilter(columns.names));
  const before = edgesVersion.peek();
  showResult({ table, columns, provenance }, order, onGpu);
  if (before > 0) void tableKeeper.close(before);
}

/** Removes the table from the page, and says why there is none. */
export function takeOff(why: string | null): void {
  const before = edgesVersion.peek();
  showNoResult(why);
  if (before > 0) void tableKeeper.close(before);
}

/** Reports that no scores came. The table of another run is removed: it would be mistaken for theirs. */
function fail(error: unknown): void {
  refuse(error);
  unscored.value = 'failed';
  const shown = result.peek()?.provenance;
  if (shown?.kind !== 'fit' || shown.run !== fitRun.peek())
    takeOff(`There are no scores: ${error instanceof Error ? error.message : String(error)}`);
}

/** Drops the scores under way: they are neither shown nor computed any further. */
export function forgetScores(): void {
  beginScoring();
  void fitWorker.stopScoring();
}
