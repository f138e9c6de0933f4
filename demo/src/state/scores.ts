import { batch } from '@preact/signals';
import { refuse } from './alerts.ts';
import { edges, edgesVersion, scoresOnGpu } from './edges.ts';
import { params } from './params.ts';
import { evaluationSeconds } from './run.ts';
import { fitWorker, tableWorker } from './workers.ts';

let asked = 0;

/**
 * Scores the samples seen, with the parameters as they are, and puts the table on show. False when another table was
 * asked for meanwhile: then that one is shown.
 */
export async function showScores(): Promise<boolean> {
  const turn = ++asked;
  const isLatest = () => turn === asked;
  try {
    const scored = await fitWorker.evaluate(params.value);
    if (!isLatest()) return false;
    const columns = await tableWorker.open(scored.bytes, 'the edge table');
    if (!isLatest()) return false;
    batch(() => {
      edges.value = columns;
      scoresOnGpu.value = scored.onGpu;
      edgesVersion.value += 1;
      evaluationSeconds.value = scored.seconds;
    });
  } catch (error) {
    if (isLatest()) refuse(error);
  }
  return isLatest();
}

/** Scores that were asked for are not shown any more. */
export function forgetScores(): void {
  asked++;
}
