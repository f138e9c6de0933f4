import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import { createYielder, type Yielder } from '../statistics/yielder.ts';
import { aggregatePairs } from './aggregate.ts';
import { statisticsProducts } from './held-products.ts';
import { PanelScorer } from './panel-scorer.ts';
import type { LayerAggregation, ScoreMatrices, ScoreRequest } from './score-matrices.ts';
import { checkScoreRequest } from './score-request.ts';

/** Scores aggregated between two checks of the clock. */
const STEP = 2 ** 16;

/**
 * Scores of all ordered pairs from sufficient statistics, in float64 on the calling thread, which yields to its event
 * loop every 50 ms. The statistics must not change meanwhile; the matrices are new and owned by the caller.
 *
 * @throws `invalid-argument` for a request out of range; `too-few-samples`; the signal's reason once it is aborted
 */
export async function scoreStatistics(
  statistics: SufficientStatistics,
  request: ScoreRequest,
): Promise<ScoreMatrices> {
  const { nodes, samples, pairs } = statistics;
  checkScoreRequest(request, nodes, samples);
  const yielder = createYielder(request.signal);
  const scorer = new PanelScorer(statisticsProducts(statistics, request), request, yielder);
  const perPair: Float64Array[] = [];
  for (const pair of pairs.keys()) {
    const scores = new Float64Array(nodes ** 2);
    await scorer.score(pair, { first: 0, end: nodes }, scores);
    perPair.push(scores);
  }
  const aggregated = new Float64Array(nodes ** 2);
  await aggregateScores(perPair, request.layerAgg, aggregated, yielder);
  return { nodes, aggregated, perPair, nodeFlags: scorer.nodeFlags };
}

/** Aggregates the scores of the layer pairs, for each element of `aggregated`. */
export async function aggregateScores(
  perPair: readonly (Float64Array | Float32Array)[],
  layerAgg: LayerAggregation,
  aggregated: Float64Array,
  yielder: Yielder,
): Promise<void> {
  for (let first = 0; first < aggregated.length; first += STEP) {
    aggregatePairs(perPair, layerAgg, first, Math.min(first + STEP, aggregated.length), aggregated);
    await yielder();
  }
}
