import type { PairMoments } from '../statistics/covariances.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import type { PairStatistics } from '../statistics/sufficient-statistics.ts';
import { solvePartialColumn } from './partial-column.ts';

/** Scratch space for the systems of one pair, large enough for the largest conditioning set. */
export interface PartialScratch {
  readonly covSS: Float64Array;
  readonly covSY: Float64Array;
  readonly covSX: Float64Array;
  readonly covXY: Float64Array;
  readonly varX: Float64Array;
  readonly scores: Float64Array;
}

/** Scratch space for {@link partialScores}. */
export function partialScratch(sets: RaggedIndices, nodes: number): PartialScratch {
  let largest = 0;
  for (let j = 0; j < nodes; j++) largest = Math.max(largest, sets.offsets[j + 1]! - sets.offsets[j]!);
  return {
    covSS: new Float64Array(largest * largest),
    covSY: new Float64Array(largest),
    covSX: new Float64Array(largest * nodes),
    covXY: new Float64Array(nodes),
    varX: new Float64Array(nodes),
    scores: new Float64Array(nodes),
  };
}

/**
 * Ridge partial correlations of one layer pair (method.md, "score = 'partial'"), for the targets of a range.
 * Covariances are formed from the sums as they are read: no covariance matrix is ever held.
 *
 * @param out row-major `[nodes, nodes]`; columns `firstTarget .. endTarget` are written
 */
export function partialScores(
  pair: PairStatistics,
  moments: PairMoments,
  samples: number,
  sets: RaggedIndices,
  ridge: number,
  firstTarget: number,
  endTarget: number,
  scratch: PartialScratch,
  out: Float64Array,
): void {
  const nodes = moments.varX.length;
  const { covXY, covSX, varX, scores } = scratch;
  for (let j = firstTarget; j < endTarget; j++) {
    const set = sets.indices.subarray(sets.offsets[j], sets.offsets[j + 1]);
    const size = set.length;
    const covSS = scratch.covSS.subarray(0, size * size);
    const covSY = scratch.covSY.subarray(0, size);
    targetCovariances(pair.sumXY, moments, samples, j, covXY);
    for (let k = 0; k < size; k++) {
      sourceCovariances(pair.sumXX, moments.meanX, samples, set[k]!, covSX, k * nodes);
      covSY[k] = covXY[set[k]!]!;
      for (let m = 0; m < size; m++) covSS[k * size + m] = covSX[k * nodes + set[m]!]!;
    }
    varX.set(moments.varX);
    solvePartialColumn(
      { set, target: j, covSS, covSY, covSX, covXY, varX, varY: moments.varY[j]! },
      ridge,
      scores,
    );
    for (let i = 0; i < nodes; i++) out[i * nodes + j] = scores[i]!;
  }
}

/** S_xy[:, target]. */
function targetCovariances(
  sumXY: Float64Array,
  { meanX, meanY }: PairMoments,
  samples: number,
  target: number,
  out: Float64Array,
): void {
  const nodes = meanX.length;
  const scale = 1 / samples;
  const mean = meanY[target]!;
  for (let i = 0; i < nodes; i++) out[i] = sumXY[i * nodes + target]! * scale - meanX[i]! * mean;
}

/** S_xx[source, :], written from `at` on. */
function sourceCovariances(
  sumXX: Float64Array,
  meanX: Float64Array,
  samples: number,
  source: number,
  out: Float64Array,
  at: number,
): void {
  const nodes = meanX.length;
  const from = source * nodes;
  const scale = 1 / samples;
  const mean = meanX[source]!;
  for (let i = 0; i < nodes; i++) out[at + i] = sumXX[from + i]! * scale - mean * meanX[i]!;
}
