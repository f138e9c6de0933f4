import { createYielder } from '../../statistics/yielder.ts';
import type { SufficientStatistics } from '../../statistics/sufficient-statistics.ts';
import { HostScores, ScoreArrays } from './host-scores.ts';
import {
  checkMagnitudeRequest,
  DEFAULT_REGRESSION_LAMBDA,
  type MagnitudeRequest,
} from '../../scoring/magnitude-request.ts';
import { pooledStatistics } from '../../scoring/pooled.ts';
import { regressionScores } from '../../scoring/regression/regression-scores.ts';
import { scoreStatistics } from '../../scoring/score-statistics.ts';
import { regressPairs } from './regress-pairs.ts';

/**
 * Scores of magnitudes from sufficient statistics, in float64, on the calling thread; large regressions run in workers.
 * Pooled scores have none per layer pair.
 *
 * @throws `invalid-argument` for a request out of range; `too-few-samples`; RangeError or `out-of-memory` if memory
 * runs out; the signal's reason once it is aborted
 */
export async function magnitudeScores(
  statistics: SufficientStatistics,
  request: MagnitudeRequest,
): Promise<HostScores> {
  const { nodes, samples } = statistics;
  checkMagnitudeRequest(request, nodes, samples);
  const { score, layerAgg, lambda = DEFAULT_REGRESSION_LAMBDA, signal } = request;
  const yielder = createYielder(signal);
  const pairs = statistics.pairs.length;
  if (layerAgg !== 'pooled') {
    if (score !== 'regression')
      return new HostScores(
        new ScoreArrays(await scoreStatistics(statistics, { ...request, score, layerAgg })),
      );
    const { varianceFloor } = request;
    const regressions = await regressPairs(statistics, samples, { lambda, varianceFloor }, signal);
    const { matrices, tests } = await regressionScores(regressions, layerAgg, yielder);
    return new HostScores(new ScoreArrays(matrices), { tests });
  }
  const pooled = await pooledStatistics(statistics, request.varianceFloor, yielder);
  // Standardised magnitudes have no unit that a floor could be in: the limits on residual variances are relative.
  const own = { ...request, layerAgg: 'mean', varianceFloor: undefined } as const;
  if (score !== 'regression') {
    const matrices = await scoreStatistics(pooled, { ...own, score });
    return new HostScores(new ScoreArrays({ ...matrices, perPair: [] }), { pairs });
  }
  // A sample's observations in several layer pairs depend on each other: they count as one.
  const regressions = await regressPairs(pooled, samples, { lambda }, signal);
  const { matrices, tests } = await regressionScores(regressions, 'mean', yielder);
  return new HostScores(new ScoreArrays({ ...matrices, perPair: [] }), { pairs, tests });
}
