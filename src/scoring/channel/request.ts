import { MagnitudeEdgeError } from '../../errors.ts';
import { MIN_SAMPLES } from '../score-request.ts';
import type { ConstantRule } from './system.ts';

/** How channel scores of the layer pairs are aggregated; 'pooled' is one regression over the observations of all. */
export type ChannelAggregation = 'mean' | 'max' | 'pooled';

/** A request for scores of channel values. */
export interface ChannelRequest extends ConstantRule {
  readonly layerAgg: ChannelAggregation;
  /** Ridge, in units of a standardised channel's variance. Default 3. */
  readonly lambda: number;
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_LAMBDA = 3;

/** @throws `too-few-samples`, `invalid-argument` */
export function checkChannelRequest({ layerAgg, lambda }: ChannelRequest, samples: number): void {
  const refuse = (option: string, expected: string, found: string | number): never => {
    throw new MagnitudeEdgeError('invalid-argument', `${option} must be ${expected} and is ${found}.`, {
      details: { option, found },
    });
  };
  if (samples < MIN_SAMPLES) {
    throw new MagnitudeEdgeError(
      'too-few-samples',
      `Scores need at least ${MIN_SAMPLES} samples, but ${samples} have been accumulated.`,
      { details: { expected: MIN_SAMPLES, found: samples } },
    );
  }
  if (!['mean', 'max', 'pooled'].includes(layerAgg))
    refuse('layerAgg', "'mean', 'max' or 'pooled'", `'${layerAgg}'`);
  if (!(lambda > 0 && lambda < Infinity)) refuse('lambda', 'a finite number above 0', lambda);
}
