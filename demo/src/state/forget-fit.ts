import { noteStep, outcome, placement, progress, unscored } from './run.ts';
import { endTrial } from './trials.ts';

/** What was fitted is gone; the table on show stays until there is another. */
export function forgetFit(): void {
  outcome.value = null;
  unscored.value = null;
  progress.value = null;
  placement.value = null;
  noteStep(null, null);
  endTrial();
}
