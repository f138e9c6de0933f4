import { noSources, statisticsSource, type PairSource } from '../scores/pair-source.ts';
import type { Score, TargetsRequest } from '../scores/score-matrices.ts';
import { createPairScorer } from '../scores/score-statistics.ts';
import type { CpuAccumulator } from '../statistics/cpu-accumulator.ts';
import { createPacer, paced, type Pacer } from '../statistics/pacer.ts';
import type { PairSums } from '../statistics/pair-sums.ts';

/**
 * Scores of all layer pairs of an accumulator, which must not change meanwhile but for the products that this forms.
 * Sums are kept, so that this is not for an accumulator whose sums would take too much room. One new matrix per pair.
 *
 * @throws RangeError or `out-of-memory` where products or scores find no room; the signal's reason once it is aborted
 */
export async function scoreAccumulator(
  accumulator: CpuAccumulator,
  request: TargetsRequest,
): Promise<Float64Array[]> {
  const pace = createPacer(request.signal);
  const { nodes, samples, pairs } = accumulator;
  const scorePair = createPairScorer(nodes, request, pace);
  const perPair: Float64Array[] = [];
  for (const pair of pairs) {
    const scores = new Float64Array(nodes ** 2);
    await scorePair(await summedSource(pair, samples, request.score, pace), scores);
    perPair.push(scores);
  }
  return perPair;
}

/** Forms the products that the score needs, and keeps them. */
async function summedSource(pair: PairSums, samples: number, score: Score, pace: Pacer): Promise<PairSource> {
  const partial = score === 'partial';
  await paced(pair.form(partial), pace);
  if (partial) return statisticsSource(pair.statistics(), samples);
  const { nodes, xy } = pair;
  return {
    nodes,
    samples,
    moments: pair.moments(samples),
    targets: () => [{ values: xy.sums, stride: nodes, first: 0, end: nodes }],
    sources: noSources,
  };
}
