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
  const { meanX, meanY, varX, varY } = moments;
  const { sumXX, sumXY } = pair;
  const nodes = meanX.length;
  for (let j = firstTarget; j < endTarget; j++) {
    const set = sets.indices.subarray(sets.offsets[j], sets.offsets[j + 1]);
    const size = set.length;
    for (let k = 0; k < size; k++) {
      const from = set[k]! * nodes;
      const to = k * nodes;
      const mean = meanX[set[k]!]!;
      for (let i = 0; i < nodes; i++) {
        scratch.covSX[to + i] = sumXX[from + i]! / samples - mean * meanX[i]!;
      }
    }
    const mean = meanY[j]!;
    for (let i = 0; i < nodes; i++) scratch.covXY[i] = sumXY[i * nodes + j]! / samples - meanX[i]! * mean;
    for (let k = 0; k < size; k++) {
      scratch.covSY[k] = scratch.covXY[set[k]!]!;
      for (let m = 0; m < size; m++) scratch.covSS[k * size + m] = scratch.covSX[k * nodes + set[m]!]!;
    }
    scratch.varX.set(varX);
    solvePartialColumn({ ...scratch, set, target: j, varY: varY[j]! }, ridge, scratch.scores);
    for (let i = 0; i < nodes; i++) out[i * nodes + j] = scratch.scores[i]!;
  }
}
