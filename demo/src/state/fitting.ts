import { counted } from '../parts/format.ts';
import type { FitOutcome } from '../worker/protocol.ts';
import { refusalOf, WorkerRefusal } from '../worker/rpc.ts';
import { dismissAll, refuse } from './alerts.ts';
import { cancel } from './cancel.ts';
import { checkpointHere } from './interrupted-fit.ts';
import { result } from './edges.ts';
import { consequenceOf, type Params } from '../results/params.ts';
import { params } from './params.ts';
import {
  beginRun,
  checkpointed,
  dataFacts,
  fitRun,
  isCurrent,
  keepsSamples,
  leastSamples,
  modelFacts,
  outcome,
  phase,
  progress,
  resampled,
  running,
  unscored,
  type Phase,
} from './run.ts';
import { forgetScores, showScores, showUncertainty, takeOff } from './scores.ts';
import { openAgain, reopen } from './session.ts';
import { endTrial } from './trials.ts';
import { fitWorker } from './workers.ts';

/** Fits from the start, from where the last fit was stopped, or from its checkpoint, and shows the scores. */
export async function run(from: 'start' | 'here' | 'checkpoint' = 'start'): Promise<void> {
  if (phase.value !== 'idle') return;
  dismissAll();
  if (!modelFacts.value) {
    refuse(new Error('Choose a model: an .onnx file written by the exporter.'));
    return;
  }
  if (!dataFacts.value) {
    refuse(new Error('Choose the data for this model: .npz, .arrow, .csv or .parquet.'));
    return;
  }
  const turn = beginRun();
  phase.value = 'fitting';
  outcome.value = null;
  unscored.value = null;
  endTrial();
  forgetScores();
  if (from === 'start') checkpointed.value = 0;
  if (from !== 'here') {
    progress.value = { run: turn, samples: 0, total: dataFacts.value.samples, seconds: 0 };
    keepsSamples.value = params.value.uncertainty;
    fitRun.value = turn;
  }
  void showWhileFitting(turn);
  try {
    if (!(await openAgain())) {
      if (isCurrent(turn)) endPhase('fitting');
      return;
    }
    const at = from === 'here' ? null : checkpointHere(from === 'checkpoint');
    const done = await fitWorker.fit(params.value, from === 'here' ? from : 'start', turn, at);
    if (!isCurrent(turn)) return;
    outcome.value = done;
    if (done.source) fitRun.value = done.source.run;
    const { samples, seconds, failure } = done;
    progress.value = { run: turn, samples, seconds, total: dataFacts.value.samples };
    if (failure) refuse(new WorkerRefusal(failure));
  } catch (error) {
    if (!isCurrent(turn)) return;
    refuse(error);
    const failure = { ...refusalOf(error), leavesBatchOut: false };
    outcome.value = { complete: false, samples: 0, seconds: 0, leftOut: 0, failure, source: null };
  }
  noteMissingScores(outcome.value);
  // A cancelled fit has already released the page; its scores are shown all the same.
  if (running.value) phase.value = 'evaluating';
  // If uncertainty was requested meanwhile, the scores come with that answer.
  if (isIn('resampling')) return;
  if (outcome.value.samples >= leastSamples && !(await showScores())) return;
  if (isCurrent(turn)) endPhase('evaluating');
}

/**
 * A run that ends or fails without scores removes the table of another run, which would be mistaken for its own. A run
 * that was only stopped removes nothing.
 */
function noteMissingScores({ samples, failure, complete }: FitOutcome): void {
  if (samples >= leastSamples || (!failure && !complete)) return;
  const shown = result.peek()?.provenance;
  if (shown?.kind === 'fit' && shown.run === fitRun.peek()) return;
  takeOff(
    failure
      ? `There are no scores: ${failure.message}`
      : `There are no scores: ${counted(samples, 'sample')} ${samples === 1 ? 'is' : 'are'} too few; at least ${leastSamples} are needed.`,
  );
}

/** Frees the page, unless the work was cancelled and the page is busy with something else by now. */
function endPhase(ended: Phase): void {
  if (isIn(ended)) phase.value = 'idle';
}

/** Re-reads the phase, which may have changed during a wait. */
function isIn(asked: Phase): boolean {
  return phase.value === asked;
}

/** While a fit runs: shows scores of the samples so far, using at most a quarter of the time. */
async function showWhileFitting(turn: number): Promise<void> {
  let pause = 400;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (!isCurrent(turn) || !running.value) return;
    if (phase.value === 'paused' || (progress.value?.samples ?? 0) < leastSamples) continue;
    const start = performance.now();
    await showScores();
    pause = Math.max(400, 3 * (performance.now() - start));
  }
}

export async function pause(): Promise<void> {
  if (phase.value !== 'fitting') return;
  phase.value = 'paused';
  await fitWorker.pause();
}

/** Resumes what was paused or cancelled: the fit, else its scoring. */
export async function resume(): Promise<void> {
  if (phase.value === 'paused') {
    phase.value = 'fitting';
    await fitWorker.resume();
  } else if (outcome.value?.complete === false) await run('here');
  else await rescore();
}

/** Changes parameters and updates the page: new scores at once, or a new fit if one is needed. */
export async function change(changes: Partial<Params>): Promise<void> {
  const before = params.value;
  params.value = { ...before, ...changes };
  const consequence = consequenceOf(before, params.value);
  if (consequence === 'none') return;
  if (consequence === 'evaluate') await rescore();
  else await refit(consequence === 'open');
}

async function rescore(): Promise<void> {
  if (phase.value === 'trying' || phase.value === 'resampling') cancel();
  // A running fit shows its next scores anyway.
  if (phase.value === 'paused') await showScores();
  if (!outcome.value || (phase.value !== 'idle' && phase.value !== 'evaluating')) return;
  phase.value = 'evaluating';
  if (await showScores()) endPhase('evaluating');
}

/** Computes the uncertainty of the scores. The scores shown stay until the answer arrives, and if it is cancelled. */
export async function computeUncertainty(): Promise<void> {
  if (phase.value !== 'idle' || !outcome.value || !keepsSamples.value) return;
  dismissAll();
  resampled.value = null;
  phase.value = 'resampling';
  if (await showUncertainty()) endPhase('resampling');
}

async function refit(opensAgain: boolean): Promise<void> {
  cancel();
  if (!outcome.value) return;
  if (opensAgain && !(await reopen())) return;
  await run();
}
