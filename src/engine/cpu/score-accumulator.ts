import { scoredMoments } from '../../scoring/constant-nodes.ts';
import { noSources, statisticsSource, type PairSource } from '../../scoring/pair-source.ts';
import type { TargetsRequest } from '../../scoring/score-matrices.ts';
import { createPairScorer } from '../../scoring/score-statistics.ts';
import type { CpuAccumulator } from '../../statistics/cpu-accumulator.ts';
import { createYielder, runYielding, type Yielder } from '../../statistics/yielder.ts';
import type { PairAccumulator } from '../../statistics/pair-accumulator.ts';

/** Scores before they are aggregated. */
export interface PairScores {
  /** A matrix for each layer pair */
  readonly perPair: readonly Float64Array[];
  /** `[nodes]`, those of all these layer pairs; see {@link NODE_FLAG} */
  readonly nodeFlags: Uint8Array;
}

/**
 * Scores of all layer pairs of an accumulator, which must not change meanwhile but for the products that this forms.
 * Sums are kept, so that this is not for an accumulator whose sums would take too much room.
 *
 * @param out a matrix for each layer pair, which is filled and given back; new ones by default
 * @throws RangeError or `out-of-memory` where products or scores find no room; the signal's reason once it is aborted
 */
export async function scoreAccumulator(
  accumulator: CpuAccumulator,
  request: TargetsRequest,
  out: readonly Float64Array[] = accumulator.pairs.map(() => new Float64Array(accumulator.nodes ** 2)),
): Promise<PairScores> {
  const yielder = createYielder(request.signal);
  const { nodes, samples, pairs } = accumulator;
  const nodeFlags = new Uint8Array(nodes);
  const scorePair = createPairScorer(nodes, request, yielder, nodeFlags);
  for (const [p, pair] of pairs.entries()) {
    await scorePair(await summedSource(pair, samples, request, yielder), out[p]!);
  }
  return { perPair: out, nodeFlags };
}

/** Forms the products that the score needs, and keeps them. */
async function summedSource(
  pair: PairAccumulator,
  samples: number,
  { score, varianceFloor }: TargetsRequest,
  yielder: Yielder,
): Promise<PairSource> {
  const partial = score === 'partial';
  await runYielding(pair.form(partial), yielder);
  if (partial) return statisticsSource(pair.statistics(), samples, varianceFloor);
  const { nodes, xy } = pair;
  return {
    nodes,
    samples,
    moments: scoredMoments(pair.moments(samples), varianceFloor),
    targets: () => [{ values: xy.sums, stride: nodes, first: 0, end: nodes }],
    sources: noSources,
  };
}
