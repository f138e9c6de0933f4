import { noteStep, outcome, placement, progress, unscored } from './run.ts';
import { endTrial } from './trials.ts';

/** Discards the fit; the table shown stays until there is another. */
export function forgetFit(): void {
  outcome.value = null;
  unscored.value = null;
  progress.value = null;
  placement.value = null;
  noteStep(null, null);
  endTrial();
}
