import { signal } from '@preact/signals';
import type { TrialOutcome, TrialRequest } from '../worker/protocol.ts';
import { refuse } from './alerts.ts';
import { params, type Params } from './params.ts';
import { fitWorker } from './workers.ts';

/** A trial under way or done: its repeats so far. */
export interface Trial {
  readonly title: string;
  readonly kind: TrialRequest['kind'];
  readonly params: Params;
  readonly repeats: number;
  readonly outcomes: readonly TrialOutcome[];
}

export const trial = signal<Trial | null>(null);
let latest = 0;

/** Runs the repeats one after the other; a new trial or {@link endTrial} ends the one before. */
export async function runTrials(
  title: string,
  repeats: number,
  requestOf: (repeat: number) => TrialRequest,
): Promise<void> {
  const turn = ++latest;
  const asked = params.value;
  let outcomes: readonly TrialOutcome[] = [];
  const kind = requestOf(0).kind;
  trial.value = { title, kind, params: asked, repeats, outcomes };
  try {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const outcome = await fitWorker.trial(requestOf(repeat), asked);
      if (turn !== latest) return;
      outcomes = [...outcomes, outcome];
      trial.value = { title, kind, params: asked, repeats, outcomes };
    }
  } catch (error) {
    if (turn === latest) trial.value = null;
    refuse(error);
  }
}

/** Forgets the trial: it belongs to a fit that is gone. */
export function endTrial(): void {
  latest++;
  trial.value = null;
}
