import { computed, signal } from '@preact/signals';
import type { DataFacts, FitOutcome, ModelFacts, Progress } from '../worker/protocol.ts';

export type Phase = 'idle' | 'opening' | 'fitting' | 'paused' | 'stopping' | 'evaluating';

export const phase = signal<Phase>('idle');
export const progress = signal<Progress | null>(null);
export const modelFacts = signal<ModelFacts | null>(null);
export const dataFacts = signal<DataFacts | null>(null);
export const outcome = signal<FitOutcome | null>(null);
/** Seconds of the last evaluation. */
export const evaluationSeconds = signal<number | null>(null);

/** A fit has begun and can still be stopped. */
export const running = computed(() => phase.value === 'fitting' || phase.value === 'paused');
