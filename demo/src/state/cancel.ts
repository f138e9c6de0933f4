import { computed } from '@preact/signals';
import { endWhatHangs } from './hang.ts';
import { beginRun, outcome, phase, progress, running, unscored } from './run.ts';
import { fitWorker, unheard } from './workers.ts';

/** Whether there is anything under way that {@link cancel} ends. */
export const cancellable = computed(
  () => running.value || ['opening', 'evaluating', 'resampling', 'trying', 'comparing'].includes(phase.value),
);

/**
 * Ends the opening, fit, scoring or trial under way. The page is free at once, however long the batch in the model
 * takes: the worker drops that batch when it is done, and a fit can resume from there. So can scoring: the samples seen
 * stay. A file that was being opened leaves everything as it was.
 */
export function cancel(): void {
  if (!cancellable.value) return;
  const before = phase.value;
  if (before === 'evaluating' || before === 'resampling' || before === 'comparing') {
    unheard(fitWorker.stopScoring());
    // Scores that were ready still arrive and reset this. Resampling leaves the scores shown.
    if (before === 'evaluating') unscored.value = 'cancelled';
  } else unheard(fitWorker.stop());
  if (running.value) {
    const { samples = 0, seconds = 0 } = progress.value ?? {};
    outcome.value = { complete: false, samples, seconds, leftOut: 0, failure: null, source: null };
  }
  phase.value = 'idle';
  void endWhatHangs();
}

/** As {@link cancel}, for work that new files make obsolete. Files that are being opened are still wanted. */
export function drop(): void {
  if (phase.value !== 'opening') cancel();
  beginRun();
}
