import { beginRun, outcome, phase, progress, running } from './run.ts';
import { fitWorker } from './workers.ts';

/**
 * Ends the fit or trial under way. The page is free at once, whatever the batch in the model costs: the worker drops that
 * batch when it is through, and a fit can go on from there.
 */
export function cancel(): void {
  if (phase.value !== 'trying' && !running.value) return;
  void fitWorker.stop();
  if (running.value) {
    const { samples = 0, seconds = 0 } = progress.value ?? {};
    outcome.value = { complete: false, samples, seconds };
  }
  phase.value = 'idle';
}

/** As {@link cancel}, for work that nobody waits for any more: other files come. */
export function drop(): void {
  cancel();
  beginRun();
}
