import {
  checkMagnitudeRequest,
  DEFAULT_REGRESSION_LAMBDA,
  type MagnitudeRequest,
} from '../scoring/magnitude-request.ts';
import { pooledStatistics } from '../scoring/pooled.ts';
import { ConditionalRegression } from '../scoring/regression/conditional-regression.ts';
import type { ConditionalScores } from '../scoring/select-edges.ts';
import { createYielder } from '../statistics/yielder.ts';
import { ConditionalPartial } from './conditional-partial.ts';
import { createCpuEngine } from './cpu/cpu-engine.ts';
import type { Engine } from './engine.ts';
import { withOutOfMemoryError } from './with-out-of-memory-error.ts';
import { rankedBatches, type AllMagnitudes } from './score-magnitudes.ts';

/** Scores to select by, and a function that frees the engines behind them. */
export interface OpenedScores {
  readonly scores: ConditionalScores;
  readonly release: () => Promise<void>;
}

/**
 * Scores of magnitudes that change as edges are selected (method.md, "Stagewise selection"). For 'corr' and 'partial'
 * the target's conditioning set grows, from the empty set and from the target's known parents; for 'regression' the
 * selected sources are no longer penalized by the ridge.
 *
 * @param engine holds the samples, which must not change until the scores are released
 * @param samples n
 * @param magnitudes of the samples, for ranks
 * @throws as `scoreMagnitudes`
 */
export async function openConditionalScores(
  engine: Engine,
  samples: number,
  request: MagnitudeRequest,
  magnitudes: () => AllMagnitudes,
): Promise<OpenedScores> {
  const { nodes, pairs, reduction } = engine.shape;
  const { score, layerAgg, correlation, lambda = DEFAULT_REGRESSION_LAMBDA, varianceFloor, signal } = request;
  checkMagnitudeRequest(request, nodes, samples);
  const own: Engine[] = [];
  const release = async (): Promise<void> => {
    for (const each of own.splice(0)) await each.release();
  };
  const open = (pairsOfIt: number): Engine => {
    const opened = createCpuEngine({ nodes, pairs: pairsOfIt, reduction });
    own.push(opened);
    return opened;
  };
  try {
    return await withOutOfMemoryError(engine.shape, async () => {
      let source = engine;
      if (correlation === 'spearman') {
        source = open(pairs);
        for await (const batch of rankedBatches(magnitudes(), nodes, signal))
          await source.accumulateMagnitudes(batch);
      }
      let effectiveRequest: MagnitudeRequest = request;
      if (layerAgg === 'pooled') {
        const pooled = await pooledStatistics(
          await source.statistics(),
          varianceFloor,
          createYielder(signal),
        );
        source = open(1);
        await source.merge(pooled);
        effectiveRequest = { ...request, varianceFloor: undefined };
      }
      const settings = { ...effectiveRequest, layerAgg: layerAgg === 'pooled' ? 'mean' : layerAgg, lambda };
      if (score === 'regression') {
        const scores = await ConditionalRegression.create(await source.statistics(), settings);
        return { scores, release };
      }
      const { offsets, indices } = request.conditioningSets;
      const sets = Array.from({ length: nodes }, (_, target) =>
        score === 'partial' ? Array.from(indices.subarray(offsets[target], offsets[target + 1])) : [],
      );
      return { scores: new ConditionalPartial(source, settings, sets), release };
    });
  } catch (error) {
    await release();
    throw error;
  }
}
