import { computed, signal } from '@preact/signals';
import type { DataFacts, FitOutcome, ModelFacts, Placement, Progress } from '../worker/protocol.ts';

export type Phase = 'idle' | 'opening' | 'fitting' | 'paused' | 'evaluating' | 'trying';

/** Fewer samples have no correlation. */
export const leastSamples = 3;

export const phase = signal<Phase>('idle');
export const progress = signal<Progress | null>(null);
/** How far the repeat of a trial has come that is under way, 0 to 1. */
export const repeatShare = signal(0);
export const modelFacts = signal<ModelFacts | null>(null);
export const dataFacts = signal<DataFacts | null>(null);
export const outcome = signal<FitOutcome | null>(null);
/** Scoring was cancelled: the table on show, if any, is older than the samples or the settings. */
export const unscored = signal(false);
/** Where the last fit ran, or runs. */
export const placement = signal<Placement | null>(null);
/** Seconds of the last evaluation. */
export const evaluationSeconds = signal<number | null>(null);

/** A fit has begun and can still be stopped. */
export const running = computed(() => phase.value === 'fitting' || phase.value === 'paused');

let current = 0;

/** A number for a fit or trial that begins; it takes the page over from those before. */
export const beginRun = (): number => ++current;

/** Whether a run may still speak for the page. */
export const isCurrent = (run: number): boolean => run === current;
