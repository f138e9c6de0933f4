import { MagnitudeEdgeError } from '../errors.ts';
import { JackknifeTally } from './jackknife.ts';
import { CORRELATION_UNIT, largestScore, PermutationTally } from './permutation.ts';
import { MIN_SAMPLES } from '../scoring/score-request.ts';
import type { ResampledScores, ResamplePlan } from './resampled-scores.ts';
import type { MagnitudeRequest } from '../scoring/magnitude-request.ts';
import type { ScoreMatrices } from '../scoring/score-matrices.ts';
import { randomBits, shuffledWithin } from '../statistics/shuffle.ts';
import { withAggregate } from '../engine/scores/with-reader.ts';
import { leaveOneOut } from './leave-one-out.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import { createYielder } from '../statistics/yielder.ts';
import type { Engine, MagnitudeBatch } from '../engine/engine.ts';
import type { SampleStore, RowPairing } from './sample-store.ts';
import { rankedBatches, scoreMagnitudes } from '../engine/score-magnitudes.ts';

/** How, and with what, scores are resampled. */
export interface ResampleRun {
  readonly plan: ResamplePlan;
  /** For computations, owned by the caller; its contents are lost */
  readonly engine: Engine;
  /** Called after each scoring: one for each group, and one for each shuffle */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Standard errors, sign stability and empirical p-values of scores, by rescoring the same samples: without each group,
 * and with shuffled targets. The groups are contiguous runs of the samples, of sizes that differ by one at most. A
 * shuffle moves whole rows of gradient magnitudes (all targets and layers of a sample together) within each group;
 * activations, and with them the conditioning sets, stay in place.
 *
 * @param observed aggregated scores of all the samples
 * @throws `too-few-samples`; the signal's reason once it is aborted
 */
export async function resampleScores(
  record: SampleStore,
  observed: ScoreMatrices['aggregated'],
  request: MagnitudeRequest,
  { plan, engine, onProgress }: ResampleRun,
): Promise<ResampledScores> {
  const { samples } = record;
  const { groups, permutations, seed } = plan;
  const starts = groupStarts(samples, groups);
  checkSampleCount(samples, groups, permutations);
  const yielder = createYielder(request.signal);
  let done = 0;
  const score = async (
    pairing: RowPairing,
    use: (aggregated: ScoreMatrices['aggregated']) => void,
  ): Promise<void> => {
    engine.reset();
    for await (const batch of batchesOf(record, pairing, request)) {
      await yielder();
      await engine.accumulateMagnitudes(batch);
    }
    await yielder();
    await useAggregate(engine, request, use);
    onProgress?.(++done, groups + permutations);
  };
  const everyone = Uint32Array.from({ length: samples }, (_, row) => row);

  const jackknife = new JackknifeTally(observed, samples);
  for (let group = 0; group < groups; group++) {
    const [first, end] = [starts[group]!, starts[group + 1]!];
    const kept = everyone.filter((row) => row < first || row >= end);
    await score({ x: kept, y: kept }, (aggregated) => {
      jackknife.add(aggregated, kept.length);
    });
  }

  const unit = request.score === 'regression' ? largestScore(observed) : CORRELATION_UNIT;
  const shuffles = new PermutationTally(observed, unit);
  for (let shuffle = 0; shuffle < permutations; shuffle++) {
    const shuffled = shuffledWithin(starts, randomBits(seed, shuffle));
    await score({ x: everyone, y: shuffled }, (aggregated) => {
      shuffles.add(aggregated);
    });
  }
  return { plan, ...jackknife.result(), empiricalP: permutations > 0 ? shuffles.pValues() : undefined };
}

/**
 * Standard errors and sign stability alone, from statistics over groups of samples: for more samples than can be kept.
 *
 * @param groups statistics over disjoint samples, at least two groups
 * @param observed aggregated scores of all the samples
 * @throws the signal's reason once it is aborted
 */
export async function resampleGroups(
  groups: readonly SufficientStatistics[],
  observed: ScoreMatrices['aggregated'],
  request: MagnitudeRequest,
  { plan, engine, onProgress }: ResampleRun,
): Promise<ResampledScores> {
  const samples = groups.reduce((sum, group) => sum + group.samples, 0);
  const jackknife = new JackknifeTally(observed, samples);
  const yielder = createYielder(request.signal);
  for await (const { group, statistics } of leaveOneOut(groups, yielder)) {
    engine.reset();
    await engine.merge(statistics);
    await useAggregate(engine, request, (aggregated) => {
      jackknife.add(aggregated, statistics.samples);
    });
    onProgress?.(group + 1, groups.length);
  }
  return { plan, ...jackknife.result(), empiricalP: undefined };
}

async function useAggregate(
  engine: Engine,
  request: MagnitudeRequest,
  use: (aggregated: ScoreMatrices['aggregated']) => void,
): Promise<void> {
  const scores = await scoreMagnitudes(engine, request);
  try {
    await withAggregate(scores, use);
  } finally {
    scores.release();
  }
}

/** The samples of a pairing of the rows: their magnitudes, or the ranks of those. */
function batchesOf(
  record: SampleStore,
  pairing: RowPairing,
  { correlation, signal }: MagnitudeRequest,
): Iterable<MagnitudeBatch> | AsyncIterable<MagnitudeBatch> {
  if (correlation === 'spearman') return rankedBatches(record.gathered(pairing), record.nodes, signal);
  return record.batches(pairing);
}

/** Where each of the contiguous groups of samples begins, and n at the end. */
export function groupStarts(samples: number, groups: number): number[] {
  return Array.from({ length: groups + 1 }, (_, group) => Math.floor((group * samples) / groups));
}

/** @throws `too-few-samples` for groups too small to be left out, or shuffled within */
export function checkSampleCount(samples: number, groups: number, permutations: number): void {
  const each = permutations > 0 ? 2 : 1;
  const largest = Math.ceil(samples / groups);
  if (samples >= each * groups && samples - largest >= MIN_SAMPLES) return;
  const why =
    samples < each * groups
      ? `at least ${each} in each`
      : `at least ${MIN_SAMPLES} when any one of them is left out`;
  throw new MagnitudeEdgeError(
    'too-few-samples',
    `Uncertainty by ${groups} groups of samples needs ${why}, but ${samples} samples have been accumulated.`,
    { details: { groups, found: samples } },
  );
}
