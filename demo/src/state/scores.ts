import { batch } from '@preact/signals';
import { WorkerRefusal } from '../worker/rpc.ts';
import { refuse } from './alerts.ts';
import { edges, edgesVersion, scoresOnGpu } from './edges.ts';
import { params } from './params.ts';
import { evaluationSeconds, unscored } from './run.ts';
import { fitWorker, tableWorker } from './workers.ts';

let asked = 0;

/**
 * Scores the samples seen, with the parameters as they are, and puts the table on show. False when it does not come:
 * another table was asked for meanwhile, or the scoring was cancelled.
 */
export async function showScores(): Promise<boolean> {
  const turn = ++asked;
  const isLatest = () => turn === asked;
  try {
    const scored = await fitWorker.evaluate(params.value);
    if (!isLatest()) return false;
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
    if (isLatest()) refuse(error);
  }
  return isLatest();
}

/** Scores that were asked for are not shown any more, nor formed any further. */
export function forgetScores(): void {
  asked++;
  void fitWorker.stopScoring();
}
