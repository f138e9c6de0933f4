import { pairMoments } from '../statistics/covariances.ts';
import { createPacer, type Pacer } from '../statistics/pacer.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import { aggregatePairs } from './aggregate.ts';
import { partialScores, partialScratch } from './partial.ts';
import { pearsonScores } from './pearson.ts';
import { checkScoreRequest } from './request.ts';
import type { ScoreMatrices, ScoreRequest } from './score-matrices.ts';

/** Targets, or sources, scored between two looks at the clock. */
const STEP = 16;

/**
 * Scores of all ordered pairs from sufficient statistics, in float64 on the calling thread, which gets a turn of its
 * event loop every 50 ms. The statistics must not change meanwhile; the matrices are new and owned by the caller.
 *
 * @throws as {@link checkScoreRequest}; the signal's reason once it is aborted
 */
export async function scoreStatistics(
  statistics: SufficientStatistics,
  request: ScoreRequest,
): Promise<ScoreMatrices> {
  const { nodes, samples } = statistics;
  checkScoreRequest(request, nodes, samples);
  const pace = createPacer(request.signal);
  const perPair = await scorePairs(statistics, request, pace);
  return { nodes, aggregated: await aggregateScores(perPair, request, nodes, pace), perPair };
}

/** The scores of {@link scoreStatistics} before they are aggregated, one matrix per layer pair. */
export async function scorePairs(
  { nodes, samples, pairs }: SufficientStatistics,
  request: ScoreRequest,
  pace: Pacer,
): Promise<Float64Array[]> {
  const scratch = request.score === 'partial' ? partialScratch(request.conditioningSets, nodes) : undefined;
  const perPair: Float64Array[] = [];
  for (const pair of pairs) {
    const moments = pairMoments(pair, samples);
    const scores = new Float64Array(nodes * nodes);
    for (let first = 0; first < nodes; first += STEP) {
      const end = Math.min(first + STEP, nodes);
      if (scratch === undefined) {
        pearsonScores(pair, moments, samples, first, end, scores);
      } else {
        const { conditioningSets, ridge } = request;
        partialScores(pair, moments, samples, conditioningSets, ridge, first, end, scratch, scores);
      }
      await pace();
    }
    perPair.push(scores);
  }
  return perPair;
}

/** One `[nodes, nodes]` matrix from those of {@link scorePairs}. */
export async function aggregateScores(
  perPair: readonly Float64Array[],
  { layerAgg }: Pick<ScoreRequest, 'layerAgg'>,
  nodes: number,
  pace: Pacer,
): Promise<Float64Array> {
  const aggregated = new Float64Array(nodes * nodes);
  for (let first = 0; first < nodes; first += STEP) {
    const end = Math.min(first + STEP, nodes);
    aggregatePairs(perPair, layerAgg, first * nodes, end * nodes, aggregated);
    await pace();
  }
  return aggregated;
}
