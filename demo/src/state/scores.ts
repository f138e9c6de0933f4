import { batch } from '@preact/signals';
import type { ScoredTable } from '../worker/protocol.ts';
import { WorkerRefusal } from '../worker/rpc.ts';
import { refuse } from './alerts.ts';
import { edges, edgesVersion, scoresOnGpu } from './edges.ts';
import { params } from './params.ts';
import { beginScoring, evaluationSeconds, isCurrentScoring, unscored } from './run.ts';
import { fitWorker, tableWorker } from './workers.ts';

/**
 * Scores the samples seen, with the parameters as they are, and puts the table on show. False when it does not come:
 * another table was asked for meanwhile, or the scoring was cancelled.
 */
export const showScores = (): Promise<boolean> => show(() => fitWorker.evaluate(params.value));

/** As {@link showScores}, with the columns of uncertainty. */
export const showUncertainty = (): Promise<boolean> => show((turn) => fitWorker.resample(params.value, turn));

async function show(ask: (turn: number) => Promise<ScoredTable>): Promise<boolean> {
  const turn = beginScoring();
  try {
    const scored = await ask(turn);
    if (!isCurrentScoring(turn)) return false;
    const columns = await tableWorker.open(scored.bytes, 'the edge table');
    // The worker holds this table now, so it is the one on show, whatever was asked meanwhile.
    batch(() => {
      unscored.value = false;
      edges.value = columns;
      scoresOnGpu.value = scored.onGpu;
      edgesVersion.value += 1;
      evaluationSeconds.value = scored.seconds;
    });
  } catch (error) {
    if (error instanceof WorkerRefusal && error.code === 'AbortError') return false;
    if (isCurrentScoring(turn)) refuse(error);
  }
  return isCurrentScoring(turn);
}

/** Scores that were asked for are not shown any more, nor formed any further. */
export function forgetScores(): void {
  beginScoring();
  void fitWorker.stopScoring();
}
