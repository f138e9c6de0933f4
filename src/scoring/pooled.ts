import { pairMoments } from '../statistics/covariances.ts';
import { runYielding, type Yielder } from '../statistics/yielder.ts';
import type { PairStatistics, SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import { scoredMoments } from './constant-nodes.ts';

/** Rows of a matrix between two yields. */
const STEP = 64;

/**
 * The observations of all layer pairs as those of one (method.md, "Pooled magnitudes"): each pair centred and divided
 * by its standard deviations, with zeros if a node is constant in the pair. Sums suffice: the sums of products of
 * standardised magnitudes are n times their correlations, and add up over the pairs.
 *
 * @returns statistics of one layer pair and n P observations, about pivots of 0
 */
export async function pooledStatistics(
  { nodes, samples, pairs }: SufficientStatistics,
  varianceFloor: number | undefined,
  yielder: Yielder,
): Promise<SufficientStatistics> {
  const pooled: PairStatistics = {
    pivotX: new Float64Array(nodes),
    pivotY: new Float64Array(nodes),
    sumX: new Float64Array(nodes),
    sumY: new Float64Array(nodes),
    sumY2: new Float64Array(nodes),
    sumXY: new Float64Array(nodes ** 2),
    sumXX: new Float64Array(nodes ** 2),
  };
  for (const pair of pairs) await runYielding(addStandardized(pair, samples, varianceFloor, pooled), yielder);
  return { nodes, samples: samples * pairs.length, pairs: [pooled] };
}

function* addStandardized(
  pair: PairStatistics,
  samples: number,
  varianceFloor: number | undefined,
  pooled: PairStatistics,
): Generator<undefined, void, undefined> {
  const { meanX, meanY, varX, varY } = scoredMoments(pairMoments(pair, samples), varianceFloor);
  const nodes = meanX.length;
  const x: Moments = { mean: meanX, scale: reciprocalDeviations(varX) };
  const y: Moments = { mean: meanY, scale: reciprocalDeviations(varY) };
  for (let j = 0; j < nodes; j++) if (y.scale[j]! > 0) pooled.sumY2[j]! += samples;
  for (let i = 0; i < nodes; i++) {
    addRow(pair.sumXY, i, samples, [x, y], pooled.sumXY);
    addRow(pair.sumXX, i, samples, [x, x], pooled.sumXX);
    if (i % STEP === 0) yield;
  }
}

/** 0 for constant nodes, whose variances are NaN. */
function reciprocalDeviations(variances: Float64Array): Float64Array {
  return variances.map((variance) => (Number.isNaN(variance) ? 0 : 1 / Math.sqrt(variance)));
}

interface Moments {
  readonly mean: Float64Array;
  /** Reciprocal standard deviation; 0 for constant nodes */
  readonly scale: Float64Array;
}

/** Adds n times the correlations of one row. */
function addRow(
  sums: Float64Array,
  row: number,
  samples: number,
  [x, y]: readonly [Moments, Moments],
  out: Float64Array,
): void {
  const scale = x.scale[row]!;
  if (scale === 0) return;
  const { mean: meanY, scale: scaleY } = y;
  const nodes = meanY.length;
  const mean = samples * x.mean[row]!;
  for (let j = 0, at = row * nodes; j < nodes; j++, at++) {
    out[at]! += (sums[at]! - mean * meanY[j]!) * scale * scaleY[j]!;
  }
}
