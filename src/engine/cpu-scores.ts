import { statisticsSource, type PairSource, type SourceProducts } from '../scores/pair-source.ts';
import type { Score, TargetsRequest } from '../scores/score-matrices.ts';
import { createPairScorer } from '../scores/score-statistics.ts';
import type { CpuAccumulator } from '../statistics/cpu-accumulator.ts';
import { createPacer, paced, type Pacer } from '../statistics/pacer.ts';
import { PackedSymmetric } from '../statistics/packed-symmetric.ts';
import type { PairSums } from '../statistics/pair-sums.ts';
import type { Deviations, Tile } from '../statistics/products.ts';

/**
 * Scores of all layer pairs of an accumulator, which must not change meanwhile but for the products that this forms.
 * One new matrix per pair: float64, or float32 where there are no sums because they would take too much room.
 *
 * @throws RangeError or `out-of-memory` where products or scores find no room; the signal's reason once it is aborted
 */
export async function scoreAccumulator(
  accumulator: CpuAccumulator,
  request: TargetsRequest,
): Promise<(Float64Array | Float32Array)[]> {
  const pace = createPacer(request.signal);
  const { nodes, samples, tiled, pairs } = accumulator;
  const scorePair = createPairScorer(nodes, request, pace);
  const perPair: (Float64Array | Float32Array)[] = [];
  // One for all pairs, which come one after the other.
  const packed = tiled && request.score === 'partial' ? new PackedSymmetric(nodes) : undefined;
  for (const pair of pairs) {
    const scores = tiled ? new Float32Array(nodes ** 2) : new Float64Array(nodes ** 2);
    const source = tiled
      ? await tiledSource(pair, samples, packed, pace)
      : await summedSource(pair, samples, request.score, pace);
    await scorePair(source, scores);
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

/**
 * Forms the products of one tile of targets after the other, and lets them go.
 *
 * @param xx overwritten by X^T X, for partial scores
 */
async function tiledSource(
  pair: PairSums,
  samples: number,
  xx: PackedSymmetric | undefined,
  pace: Pacer,
): Promise<PairSource> {
  const { nodes, x, y } = pair;
  const moments = pair.moments(samples);
  const targets = (): AsyncIterable<Tile> => tiles(pair, x, y, false, pace);
  if (xx === undefined) return { nodes, samples, moments, targets, sources: noSources };
  for await (const tile of tiles(pair, x, x, true, pace)) xx.setColumns(tile);
  // Variances that agree with the covariances to the last bit: duplicates of a parent leave a variance of nothing.
  const varX = moments.meanX.map((mean, i) => Math.max(xx.at(i, i) * (1 / samples) - mean * mean, 0));
  return {
    nodes,
    samples,
    moments: { ...moments, varX },
    targets,
    sources: xx,
  };
}

/** Plain correlations read nothing of X^T X. */
const noSources: SourceProducts = { at: () => NaN, copyPart: () => undefined };

async function* tiles(
  { nodes, products }: PairSums,
  a: Deviations,
  b: Deviations,
  upperOnly: boolean,
  pace: Pacer,
): AsyncGenerator<Tile, void, undefined> {
  const { tileColumns } = products;
  for (let first = 0; first < nodes; first += tileColumns) {
    const columns = [first, Math.min(first + tileColumns, nodes)] as const;
    yield await paced(products.tile(a, b, [0, a.rows.end], columns, upperOnly), pace);
  }
}
