import type { Yielder } from '../../statistics/yielder.ts';
import { aggregateScores } from '../score-statistics.ts';
import type { LayerAggregation, ScoreMatrices, ScoreTests } from '../score-matrices.ts';
import { upperTail } from '../significance.ts';
import { NODE_FLAG } from '../node-flags.ts';
import type { PairRegression } from './regress-pair.ts';

/** Scores of a regression, with their standard errors and p-values. */
export interface RegressionScores {
  readonly matrices: ScoreMatrices & { readonly aggregated: Float64Array };
  readonly tests: ScoreTests;
}

/**
 * Regression scores of all ordered pairs (method.md, "score = 'regression'"), from the regressions of the layer pairs.
 *
 * @throws RangeError if memory runs out; the signal's reason once it is aborted
 */
export async function regressionScores(
  regressions: readonly PairRegression[],
  layerAgg: LayerAggregation,
  yielder: Yielder,
): Promise<RegressionScores> {
  const nodes = regressions[0]!.sourceError.length;
  const nodeFlags = new Uint8Array(nodes);
  for (const { sourceError, targetError } of regressions) {
    for (let node = 0; node < nodes; node++) {
      if (Number.isNaN(sourceError[node]!)) nodeFlags[node]! |= NODE_FLAG.constantSource;
      if (Number.isNaN(targetError[node]!)) nodeFlags[node]! |= NODE_FLAG.constantTarget;
    }
  }
  const perPair = regressions.map(({ beta }) => beta);
  const aggregated = new Float64Array(nodes ** 2);
  await aggregateScores(perPair, layerAgg, aggregated, yielder);
  const standardError = aggregateErrors(regressions, layerAgg, aggregated);
  await yielder();
  const pValues = aggregated.map((score, e) => pValueOf(score / standardError[e]!));
  await yielder();
  return { matrices: { nodes, aggregated, perPair, nodeFlags }, tests: { standardError, pValues } };
}

/** An error of 0 makes z infinite, with the sign of the score; a score of 0 with an error of 0 has p = 1. */
function pValueOf(z: number): number {
  return Number.isNaN(z) ? 1 : upperTail(z);
}

/**
 * The errors of aggregated scores: for means the mean over the layer pairs with a score, as if their errors were
 * perfectly correlated; for maxima that of the layer pair whose score was taken.
 */
function aggregateErrors(
  regressions: readonly PairRegression[],
  layerAgg: LayerAggregation,
  aggregated: Float64Array,
): Float64Array {
  const errors = new Float64Array(aggregated.length);
  const nodes = regressions[0]!.sourceError.length;
  for (let i = 0, at = 0; i < nodes; i++) {
    for (let j = 0; j < nodes; j++, at++) {
      const takes = (score: number): boolean => layerAgg === 'max' && score === aggregated[at];
      errors[at] = errorOf(regressions, i, j, takes);
    }
  }
  return errors;
}

/** @param takes whether the aggregate is this score of a layer pair */
function errorOf(
  regressions: readonly PairRegression[],
  source: number,
  target: number,
  takes: (score: number) => boolean,
): number {
  let [sum, count] = [0, 0];
  for (const { beta, sourceError, targetError } of regressions) {
    const error = sourceError[source]! * targetError[target]!;
    if (Number.isNaN(error)) continue;
    if (takes(beta[source * sourceError.length + target]!)) return error;
    sum += error;
    count++;
  }
  return sum / count;
}
