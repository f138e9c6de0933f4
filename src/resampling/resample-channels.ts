import type { ChannelRequest } from '../scoring/channel/request.ts';
import { JackknifeTally } from './jackknife.ts';
import { largestScore, PermutationTally } from './permutation.ts';
import type { ResampledScores, ResamplePlan } from './resampled-scores.ts';
import type { ScoreMatrices } from '../scoring/score-matrices.ts';
import { randomBits, shuffledWithin } from '../statistics/shuffle.ts';
import { withoutRows } from '../statistics/channel-record.ts';
import { checkSampleCount, groupStarts } from './resample.ts';
import { channelScores, shuffledChannelScores } from '../engine/channels/channel-scores.ts';
import type { ChannelSnapshot } from '../engine/channels/channels.ts';

/** Bytes of scores, and number, of the shuffles scored together: the system of F is solved once for all of them. */
const SHUFFLES_BYTES = 2 ** 27;
const MOST_SHUFFLES = 16;

/**
 * Standard errors and empirical p-values of channel scores, by rescoring the same samples as `resampleScores` does:
 * without each group, and with shuffled targets.
 *
 * @param observed aggregated scores of all the samples
 * @throws `too-few-samples`, `out-of-memory`; the signal's reason once it is aborted
 */
export async function resampleChannels(
  { rows, groups, threads }: ChannelSnapshot,
  observed: ScoreMatrices['aggregated'],
  request: ChannelRequest,
  plan: ResamplePlan,
  onProgress?: (done: number, total: number) => void,
): Promise<ResampledScores> {
  const { samples } = rows;
  const { permutations, seed } = plan;
  checkSampleCount(samples, plan.groups, permutations);
  const starts = groupStarts(samples, plan.groups);
  const total = plan.groups + permutations;
  let done = 0;
  const jackknife = new JackknifeTally(observed, samples);
  for (let group = 0; group < plan.groups; group++) {
    const kept = withoutRows(rows, starts[group]!, starts[group + 1]!);
    jackknife.add((await channelScores(kept, groups, request, threads)).aggregated, kept.samples);
    onProgress?.(++done, total);
  }
  const shuffles = new PermutationTally(observed, largestScore(observed));
  const bytes = 8 * observed.length * (rows.pairs.length + 1);
  const shufflesAtOnce = Math.min(MOST_SHUFFLES, Math.max(1, Math.floor(SHUFFLES_BYTES / bytes)));
  for (let first = 0; first < permutations; first += shufflesAtOnce) {
    const count = Math.min(shufflesAtOnce, permutations - first);
    const orders = Array.from({ length: count }, (_, k) =>
      shuffledWithin(starts, randomBits(seed, first + k)),
    );
    for (const { aggregated } of await shuffledChannelScores(rows, groups, request, threads, orders)) {
      shuffles.add(aggregated);
      onProgress?.(++done, total);
    }
  }
  return { plan, ...jackknife.result(), empiricalP: permutations > 0 ? shuffles.pValues() : undefined };
}
