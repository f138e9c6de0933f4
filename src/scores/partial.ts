import type { Tile } from '../statistics/products.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import type { PairSource } from './pair-source.ts';
import { solvePartialColumn } from './partial-column.ts';

/** Targets done together: columns of matrices are read and written so many at a time, or every element misses a cache. */
export const TARGETS_TOGETHER = 16;

/** Scratch space for the systems of one pair, large enough for the largest conditioning set. */
export interface PartialScratch {
  readonly covSS: Float64Array;
  readonly covSY: Float64Array;
  readonly covSX: Float64Array;
  /** `[TARGETS_TOGETHER, nodes]`: covariances with the targets, then the scores */
  readonly columns: Float64Array;
  readonly varX: Float64Array;
}

/** Scratch space for {@link partialScores}. */
export function partialScratch(sets: RaggedIndices, nodes: number): PartialScratch {
  let largest = 0;
  for (let j = 0; j < nodes; j++) largest = Math.max(largest, sets.offsets[j + 1]! - sets.offsets[j]!);
  return {
    covSS: new Float64Array(largest * largest),
    covSY: new Float64Array(largest),
    covSX: new Float64Array(largest * nodes),
    columns: new Float64Array(TARGETS_TOGETHER * nodes),
    varX: new Float64Array(nodes),
  };
}

/**
 * Ridge partial correlations of one layer pair (method.md, "score = 'partial'"), for at most
 * {@link TARGETS_TOGETHER} targets of a tile. Covariances are formed from the sums as they are read: no covariance
 * matrix is ever held.
 *
 * @param out row-major `[nodes, nodes]`; columns `firstTarget .. endTarget` are written
 */
export function partialScores(
  source: PairSource,
  tile: Tile,
  sets: RaggedIndices,
  ridge: number,
  firstTarget: number,
  endTarget: number,
  scratch: PartialScratch,
  out: Float64Array | Float32Array,
): void {
  const { nodes, samples, moments } = source;
  const { meanX, varX: variances, varY } = moments;
  const { columns, covSX, varX } = scratch;
  targetCovariances(source, tile, firstTarget, endTarget, columns);
  for (let j = firstTarget; j < endTarget; j++) {
    const set = sets.indices.subarray(sets.offsets[j], sets.offsets[j + 1]);
    const size = set.length;
    const covSS = scratch.covSS.subarray(0, size * size);
    const covSY = scratch.covSY.subarray(0, size);
    const covXY = columns.subarray((j - firstTarget) * nodes, (j - firstTarget + 1) * nodes);
    for (let k = 0; k < size; k++) {
      source.sourceRow(set[k]!, covSX, k * nodes);
      toCovariances(covSX, k * nodes, meanX, meanX[set[k]!]!, samples);
      covSY[k] = covXY[set[k]!]!;
      for (let m = 0; m < size; m++) covSS[k * size + m] = covSX[k * nodes + set[m]!]!;
    }
    varX.set(variances);
    // Every score is written after its covariance has been read for the last time.
    solvePartialColumn({ set, target: j, covSS, covSY, covSX, covXY, varX, varY: varY[j]! }, ridge, covXY);
  }
  const targets = endTarget - firstTarget;
  for (let i = 0; i < nodes; i++) {
    const to = i * nodes + firstTarget;
    for (let t = 0; t < targets; t++) out[to + t] = columns[t * nodes + i]!;
  }
}

/** S_xy[:, first .. end], a row for each target. */
function targetCovariances(
  { nodes, samples, moments: { meanX, meanY } }: PairSource,
  { values, stride, first: tileFirst }: Tile,
  first: number,
  end: number,
  out: Float64Array,
): void {
  const scale = 1 / samples;
  const targets = end - first;
  for (let i = 0; i < nodes; i++) {
    const from = i * stride + first - tileFirst;
    const mean = meanX[i]!;
    for (let t = 0; t < targets; t++) {
      out[t * nodes + i] = values[from + t]! * scale - mean * meanY[first + t]!;
    }
  }
}

/** Makes covariances of sums of products, in place: `[means.length]` of them from `at` on. */
function toCovariances(
  sums: Float64Array,
  at: number,
  means: Float64Array,
  mean: number,
  samples: number,
): void {
  const scale = 1 / samples;
  const nodes = means.length;
  for (let i = 0; i < nodes; i++) sums[at + i] = sums[at + i]! * scale - mean * means[i]!;
}
