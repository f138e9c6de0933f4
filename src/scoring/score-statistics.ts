import { createYielder, runYielding, type Yielder } from '../statistics/yielder.ts';
import type { Tile } from '../statistics/tiled-matmul.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import { aggregatePairs } from './aggregate.ts';
import { flagConstants } from './node-flags.ts';
import { statisticsSource, type PairBasis, type PairSource, type ScoreColumns } from './pair-source.ts';
import { PartialScorer } from './partial.ts';
import { pearsonScores } from './pearson.ts';
import { checkScoreRequest } from './score-request.ts';
import type { ScoreMatrices, ScoreRequest, TargetsRequest } from './score-matrices.ts';

/** Sources scored between two looks at the clock. */
const STEP = 64;

/**
 * Scores of all ordered pairs from sufficient statistics, in float64 on the calling thread, which gets a turn of its
 * event loop every 50 ms. The statistics must not change meanwhile; the matrices are new and owned by the caller.
 *
 * @throws `invalid-argument` for a request out of range; `too-few-samples`; the signal's reason once it is aborted
 */
export async function scoreStatistics(
  statistics: SufficientStatistics,
  request: ScoreRequest,
): Promise<ScoreMatrices> {
  const { nodes, samples } = statistics;
  checkScoreRequest(request, nodes, samples);
  const yielder = createYielder(request.signal);
  const nodeFlags = new Uint8Array(nodes);
  const perPair = await scorePairs(statistics, request, yielder, nodeFlags);
  return { nodes, aggregated: await aggregateScores(perPair, request, nodes, yielder), perPair, nodeFlags };
}

/** The scores of {@link scoreStatistics} before they are aggregated, one matrix per layer pair. */
async function scorePairs(
  { nodes, samples, pairs }: SufficientStatistics,
  request: ScoreRequest,
  yielder: Yielder,
  nodeFlags: Uint8Array,
): Promise<Float64Array[]> {
  const scorePair = createPairScorer(nodes, request, yielder, nodeFlags);
  const perPair: Float64Array[] = [];
  for (const pair of pairs) {
    const scores = new Float64Array(nodes * nodes);
    await scorePair(statisticsSource(pair, samples, request.varianceFloor), scores);
    perPair.push(scores);
  }
  return perPair;
}

/** Writes the scores of one layer pair to `out`, row-major `[nodes, nodes]`. */
export type PairScorer = (source: PairSource, out: Float64Array | Float32Array) => Promise<void>;

/**
 * Scores one layer pair after the other, from sums however they are held.
 *
 * @param nodeFlags `[nodes]`, those of every layer pair are added
 */
export function createPairScorer(
  nodes: number,
  request: TargetsRequest,
  yielder: Yielder,
  nodeFlags: Uint8Array,
): PairScorer {
  const scoreTile = createTileScorer(nodes, request, yielder);
  const targets = request.score === 'partial' ? request.targets : undefined;
  return async (source, values) => {
    const out = { values, stride: nodes, first: 0 };
    flagConstants(source.moments, nodeFlags);
    for await (const tile of source.targets()) {
      for (const part of partsOf(tile, targets)) await scoreTile(source, part, out, nodeFlags);
    }
  };
}

/** Writes the scores of the targets of a tile, and flags targets whose sets are singular. */
export type TileScorer = (
  source: PairBasis,
  tile: Tile,
  out: ScoreColumns,
  nodeFlags: Uint8Array,
) => Promise<void>;

/** Scores some targets after the other. */
export function createTileScorer(nodes: number, request: ScoreRequest, yielder: Yielder): TileScorer {
  if (request.score === 'partial') {
    const partial = new PartialScorer(nodes, request);
    return (source, tile, out, flags) => runYielding(partial.score(source, tile, out, flags), yielder);
  }
  return async (source, tile, out) => {
    for (let first = 0; first < nodes; first += STEP) {
      pearsonScores(source, tile, first, Math.min(first + STEP, nodes), out);
      await yielder();
    }
  };
}

/** What a tile has of some targets, each by itself; the whole tile where all are asked for. */
function* partsOf(tile: Tile, targets: Uint32Array | undefined): Generator<Tile, void, undefined> {
  if (targets === undefined) {
    yield tile;
    return;
  }
  const { values, stride, first, end } = tile;
  for (const target of targets) {
    if (target < first || target >= end) continue;
    yield { values: values.subarray(target - first), stride, first: target, end: target + 1 };
  }
}

/** One `[nodes, nodes]` matrix from those of {@link scorePairs}, in `aggregated`. */
export async function aggregateScores(
  perPair: readonly (Float64Array | Float32Array)[],
  { layerAgg }: Pick<ScoreRequest, 'layerAgg'>,
  nodes: number,
  yielder: Yielder,
  aggregated: Float64Array = new Float64Array(nodes ** 2),
): Promise<Float64Array> {
  for (let first = 0; first < nodes; first += STEP) {
    const end = Math.min(first + STEP, nodes);
    aggregatePairs(perPair, layerAgg, first * nodes, end * nodes, aggregated);
    await yielder();
  }
  return aggregated;
}
