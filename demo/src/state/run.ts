import { computed, signal } from '@preact/signals';
import type { DataFacts, ModelFacts, Placement } from '../results/facts.ts';
import type { Download, FitOutcome, Progress, ResampleProgress } from '../worker/protocol.ts';

export type Phase =
  'idle' | 'opening' | 'fitting' | 'paused' | 'evaluating' | 'resampling' | 'trying' | 'comparing';

/** Fewer samples have no correlation. */
export const leastSamples = 3;

export const phase = signal<Phase>('idle');
/** How much of the runtime has come; null while nothing of it is fetched. */
export const download = signal<Download | null>(null);
/** Samples in the last checkpoint of the fit; 0 without one. */
export const checkpointed = signal(0);
export const progress = signal<Progress | null>(null);
/** How far the repeat of a trial has come that is under way, 0 to 1. */
export const repeatShare = signal(0);
/** How far resampling has come. */
export const resampled = signal<ResampleProgress | null>(null);
export const modelFacts = signal<ModelFacts | null>(null);
export const dataFacts = signal<DataFacts | null>(null);
export const outcome = signal<FitOutcome | null>(null);
/** The last fit keeps what uncertainty is told from. */
export const keepsSamples = signal(false);
/** Scoring was cancelled, or failed: the table on show, if any, is older than the samples or the settings. */
export const unscored = signal<'cancelled' | 'failed' | null>(null);
/** Where the last fit ran, or runs. */
export const placement = signal<Placement | null>(null);
/** A fit has begun and can still be stopped. */
export const running = computed(() => phase.value === 'fitting' || phase.value === 'paused');

/** The number of the last fit that began at the start. */
export const fitRun = signal(0);

let slowest = 0;

/** Seconds of the slowest batch since the model was opened. */
export const slowestStep = (): number => slowest;

/** Notes how long the batch between two reports took; without reports, that nothing is known. */
export function noteStep(before: Progress | null, after: Progress | null): void {
  if (!after) slowest = 0;
  else if (before?.run === after.run) slowest = Math.max(slowest, after.seconds - before.seconds);
}

let current = 0;

/** A number for a fit or trial that begins; it takes the page over from those before. */
export const beginRun = (): number => ++current;

/** Whether a run may still speak for the page. */
export const isCurrent = (run: number): boolean => run === current;

let currentScoring = 0;

/** A number for scores that are asked for; those before are not waited for any more. */
export const beginScoring = (): number => ++currentScoring;

export const isCurrentScoring = (turn: number): boolean => turn === currentScoring;
