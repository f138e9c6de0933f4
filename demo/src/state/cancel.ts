import { computed } from '@preact/signals';
import { beginRun, outcome, phase, progress, running, unscored } from './run.ts';
import { fitWorker } from './workers.ts';

/** There is something under way that {@link cancel} ends. */
export const cancellable = computed(
  () => running.value || ['evaluating', 'resampling', 'trying'].includes(phase.value),
);

/**
 * Ends the fit, scoring or trial under way. The page is free at once, whatever the batch in the model costs: the worker
 * drops that batch when it is through, and a fit can go on from there. So can scores: the samples seen stay.
 */
export function cancel(): void {
  if (!cancellable.value) return;
  if (phase.value === 'evaluating' || phase.value === 'resampling') {
    void fitWorker.stopScoring();
    // Unless they were ready: then they come all the same. What is resampled is on show already.
    if (phase.value === 'evaluating') unscored.value = true;
  } else void fitWorker.stop();
  if (running.value) {
    const { samples = 0, seconds = 0 } = progress.value ?? {};
    outcome.value = { complete: false, samples, seconds, leftOut: 0, failure: null };
  }
  phase.value = 'idle';
}

/** As {@link cancel}, for work that nobody waits for any more: other files come. */
export function drop(): void {
  cancel();
  beginRun();
}
