import { signal } from '@preact/signals';
import type { FitSource } from '../results/provenance.ts';
import type { TrialOutcome, TrialRequest } from '../worker/protocol.ts';
import { refuse } from './alerts.ts';
import type { Params } from '../results/params.ts';
import { params } from './params.ts';
import { beginRun, isCurrent, outcome as lastFit, phase, repeatShare } from './run.ts';
import { fitWorker } from './workers.ts';

/** A trial under way, stopped or done: its repeats so far. */
export interface Trial {
  readonly title: string;
  readonly kind: TrialRequest['kind'];
  readonly params: Params;
  /** The fit that it tests. */
  readonly source: FitSource;
  readonly repeats: number;
  readonly outcomes: readonly TrialOutcome[];
}

export const trial = signal<Trial | null>(null);

/** Runs the repeats one after another, until all are done or the trial is cancelled. */
export async function runTrials(
  title: string,
  repeats: number,
  requestOf: (repeat: number) => TrialRequest,
): Promise<void> {
  const source = lastFit.value?.source;
  if (phase.value !== 'idle' || !source) return;
  const turn = beginRun();
  const isOn = () => isCurrent(turn) && phase.value === 'trying';
  const asked = params.value;
  let outcomes: readonly TrialOutcome[] = [];
  const { kind } = requestOf(0);
  phase.value = 'trying';
  trial.value = { title, kind, params: asked, source, repeats, outcomes };
  try {
    for (let repeat = 0; repeat < repeats; repeat++) {
      repeatShare.value = 0;
      const outcome = await fitWorker.trial(requestOf(repeat), asked, turn);
      if (!isOn()) return;
      outcomes = [...outcomes, outcome];
      trial.value = { title, kind, params: asked, source, repeats, outcomes };
    }
  } catch (error) {
    // A stopped trial rejects too, but is no longer wanted.
    if (!isOn()) return;
    trial.value = null;
    refuse(error);
  }
  phase.value = 'idle';
}

/** Discards the trial: its fit is gone. */
export function endTrial(): void {
  trial.value = null;
}
