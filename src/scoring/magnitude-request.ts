import { MagnitudeEdgeError } from '../errors.ts';
import { checkOneOf } from '../check-one-of.ts';
import { checkScoreRequest } from './score-request.ts';
import type { Correlation, MagnitudeScore, ScoreAggregation, ScoreRequest } from './score-matrices.ts';

/** A request for scores of magnitudes, computed by an engine or from its statistics. */
export interface MagnitudeRequest extends Omit<ScoreRequest, 'score' | 'layerAgg'> {
  readonly score: MagnitudeScore;
  /** 'pooled' treats the observations of all layer pairs as those of one */
  readonly layerAgg: ScoreAggregation;
  /** Of the magnitudes (default), or of their ranks */
  readonly correlation?: Correlation | undefined;
  /** Ridge of 'regression', in variances of a standardised magnitude. Default 0.3. */
  readonly lambda?: number | undefined;
}

/** Default ridge of 'regression'. */
export const DEFAULT_REGRESSION_LAMBDA = 0.3;

/** Whether an engine computes these scores itself, from the sums that it holds. */
export function isEngineRequest<T extends Pick<MagnitudeRequest, 'score' | 'layerAgg'>>(
  request: T,
): request is T & Pick<ScoreRequest, 'score' | 'layerAgg'> {
  return request.score !== 'regression' && request.layerAgg !== 'pooled';
}

/**
 * Checks a request before any work is done.
 *
 * @throws as {@link checkScoreRequest}; `invalid-argument` for a lambda or correlation out of range
 */
export function checkMagnitudeRequest(request: MagnitudeRequest, nodes: number, samples: number): void {
  const { score, layerAgg, correlation = 'pearson', lambda = DEFAULT_REGRESSION_LAMBDA } = request;
  checkOneOf('score', score, ['corr', 'partial', 'regression', 'channel']);
  checkOneOf('layerAgg', layerAgg, ['mean', 'max', 'pooled']);
  checkOneOf('correlation', correlation, ['pearson', 'spearman']);
  checkScoreRequest(
    {
      ...request,
      score: score === 'regression' ? 'corr' : score,
      layerAgg: layerAgg === 'pooled' ? 'mean' : layerAgg,
    },
    nodes,
    samples,
  );
  if (score === 'regression' && !(lambda > 0 && lambda < Infinity)) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `lambda must be a finite number above 0 and is ${lambda}.`,
      { details: { option: 'lambda', found: lambda } },
    );
  }
}
