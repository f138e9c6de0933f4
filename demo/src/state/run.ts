import { computed, signal } from '@preact/signals';
import type { DataFacts, ModelFacts, Placement } from '../results/facts.ts';
import type { Download, FitOutcome, Progress, ResampleProgress } from '../worker/protocol.ts';

export type Phase =
  'idle' | 'opening' | 'fitting' | 'paused' | 'evaluating' | 'resampling' | 'trying' | 'comparing';

/** Fewer samples give no correlation. */
export const leastSamples = 3;

export const phase = signal<Phase>('idle');
/** Download progress of the runtime; null while nothing is fetched. */
export const download = signal<Download | null>(null);
/** Samples in the last checkpoint of the fit; 0 without one. */
export const checkpointed = signal(0);
export const progress = signal<Progress | null>(null);
/** Progress of the current repeat of a trial, 0 to 1. */
export const repeatShare = signal(0);
/** Progress of resampling. */
export const resampled = signal<ResampleProgress | null>(null);
export const modelFacts = signal<ModelFacts | null>(null);
export const dataFacts = signal<DataFacts | null>(null);
export const outcome = signal<FitOutcome | null>(null);
/** Whether the last fit keeps the samples that uncertainty needs. */
export const keepsSamples = signal(false);
/** Scoring was cancelled, or failed: the table shown, if any, is older than the samples or the settings. */
export const unscored = signal<'cancelled' | 'failed' | null>(null);
/** Where the last fit ran, or runs. */
export const placement = signal<Placement | null>(null);
/** Whether a fit has begun and can still be stopped. */
export const running = computed(() => phase.value === 'fitting' || phase.value === 'paused');

/** The number of the last fit that began from the start. */
export const fitRun = signal(0);

let slowest = 0;

/** Seconds of the slowest batch since the model was opened. */
export const slowestStep = (): number => slowest;

/** Records how long the batch between two reports took; without a second report, forgets it. */
export function noteStep(before: Progress | null, after: Progress | null): void {
  if (!after) slowest = 0;
  else if (before?.run === after.run) slowest = Math.max(slowest, after.seconds - before.seconds);
}

let current = 0;

/** A number for a fit or trial that begins; it supersedes earlier ones. */
export const beginRun = (): number => ++current;

/** Whether a run may still update the page. */
export const isCurrent = (run: number): boolean => run === current;

let currentScoring = 0;

/** A number for scores that are requested; they supersede earlier requests. */
export const beginScoring = (): number => ++currentScoring;

export const isCurrentScoring = (turn: number): boolean => turn === currentScoring;
