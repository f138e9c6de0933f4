import { emptyPair, shiftPivot } from '../../../statistics/merge.ts';
import type { PairStatistics, SufficientStatistics } from '../../../statistics/sufficient-statistics.ts';
import { panelOf, quantityOf, sumIndex, type Panel, type StatisticsLayout } from './layout.ts';

/** Column data of all pairs as stored on the GPU: pivots `[2 P, stride, 2]`, column sums `[2 P, stride, 4]`. */
export interface GpuColumns {
  readonly pivots: Float32Array;
  readonly columnSums: Float32Array;
}

/** Matrices of one pair as stored on the GPU: one array per panel. */
export interface GpuMatrices {
  readonly sumXY: readonly Float32Array<ArrayBuffer>[];
  readonly sumXX: readonly Float32Array<ArrayBuffer>[];
}

/** One pair's statistics, with products still to be filled in, and the scales to divide those by. */
export interface UnpackedPair {
  readonly statistics: PairStatistics;
  readonly scaleX: Float64Array;
  readonly scaleY: Float64Array;
}

/** One pair's column sums in float64 from those of the GPU: (high, low) pairs added, scales divided out (exactly). */
export function unpackColumns(
  { nodes, stride }: StatisticsLayout,
  p: number,
  columns: GpuColumns,
): UnpackedPair {
  const pair = emptyPair(nodes);
  const scaleX = new Float64Array(nodes);
  const scaleY = new Float64Array(nodes);
  for (let node = 0; node < nodes; node++) {
    const x = quantityOf.x(p) * stride + node;
    const y = quantityOf.y(p) * stride + node;
    pair.pivotX[node] = columns.pivots[2 * x]!;
    pair.pivotY[node] = columns.pivots[2 * y]!;
    // There are no scales before the first row.
    scaleX[node] = columns.pivots[2 * x + 1]! || 1;
    scaleY[node] = columns.pivots[2 * y + 1]! || 1;
    pair.sumX[node] = (columns.columnSums[4 * x]! + columns.columnSums[4 * x + 1]!) / scaleX[node]!;
    pair.sumY[node] = (columns.columnSums[4 * y]! + columns.columnSums[4 * y + 1]!) / scaleY[node]!;
    pair.sumY2[node] = (columns.columnSums[4 * y + 2]! + columns.columnSums[4 * y + 3]!) / scaleY[node]! ** 2;
  }
  return { statistics: pair, scaleX, scaleY };
}

/** Fills in X^T Y of the targets of a panel. */
export function unpackTargets(
  { nodes, stride }: StatisticsLayout,
  { row, rows }: Panel,
  words: Float32Array,
  { statistics: { sumXY }, scaleX, scaleY }: UnpackedPair,
): void {
  for (let target = row; target < Math.min(row + rows, nodes); target++) {
    for (let source = 0; source < nodes; source++) {
      const at = sumIndex(target - row, source, stride);
      sumXY[source * nodes + target] = (words[at]! + words[at + 4]!) / (scaleX[source]! * scaleY[target]!);
    }
  }
}

/** Fills in `count` rows of X^T X on and above the diagonal, and their mirror images. */
export function unpackSources(
  { nodes, stride }: StatisticsLayout,
  first: number,
  count: number,
  words: Float32Array,
  { statistics: { sumXX }, scaleX }: UnpackedPair,
): void {
  for (let i = first; i < first + count; i++) {
    for (let j = i; j < nodes; j++) {
      const at = 2 * ((i - first) * stride + j);
      const sum = (words[at]! + words[at + 1]!) / (scaleX[i]! * scaleX[j]!);
      sumXX[i * nodes + j] = sum;
      sumXX[j * nodes + i] = sum;
    }
  }
}

/**
 * The reverse: writes the pair's columns into `columns` and returns its matrices. The pivots are rounded to float32
 * first, and the sums shifted to match; sums keep 48 bits.
 *
 * @param largest `[2 P, stride]` deviations to expect, which scales must allow for
 */
export function packPair(
  layout: StatisticsLayout,
  p: number,
  { pairs, samples }: SufficientStatistics,
  columns: GpuColumns,
  largest?: Float32Array,
): GpuMatrices {
  const pair = pairs[p]!;
  const { nodes, stride } = layout;
  const round = (pivots: Float64Array): Float64Array => Float64Array.from(pivots, Math.fround);
  const shifted = shiftPivot(pair, samples, round(pair.pivotX), round(pair.pivotY));
  const expected = (quantity: number, column: number): number => largest?.[quantity * stride + column] ?? 0;
  const scaleX = scalesFor(shifted.pivotX, (i) =>
    Math.max(Math.sqrt(shifted.sumXX[i * nodes + i]! / samples), expected(quantityOf.x(p), i)),
  );
  const scaleY = scalesFor(shifted.pivotY, (j) =>
    Math.max(Math.sqrt(shifted.sumY2[j]! / samples), expected(quantityOf.y(p), j)),
  );
  const { pivots, columnSums } = columns;
  for (let node = 0; node < nodes; node++) {
    const x = quantityOf.x(p) * stride + node;
    const y = quantityOf.y(p) * stride + node;
    pivots.set([shifted.pivotX[node]!, scaleX[node]!], 2 * x);
    pivots.set([shifted.pivotY[node]!, scaleY[node]!], 2 * y);
    const squares = shifted.sumXX[node * nodes + node]! * scaleX[node]! ** 2;
    split(shifted.sumX[node]! * scaleX[node]!, columnSums, 4 * x, 1);
    split(squares, columnSums, 4 * x + 2, 1);
    split(shifted.sumY[node]! * scaleY[node]!, columnSums, 4 * y, 1);
    split(shifted.sumY2[node]! * scaleY[node]! ** 2, columnSums, 4 * y + 2, 1);
  }
  const sumXY = layout.panels.map(({ rows }) => new Float32Array(2 * rows * stride));
  const sumXX = layout.panels.map(({ rows }) => new Float32Array(2 * rows * stride));
  for (let i = 0; i < nodes; i++) {
    const panel = panelOf(layout, i);
    const rowXY = sumXY[panel.index]!;
    const rowXX = sumXX[panel.index]!;
    for (let j = 0; j < nodes; j++) {
      const at = sumIndex(i - panel.row, j, stride);
      split(shifted.sumXY[j * nodes + i]! * scaleX[j]! * scaleY[i]!, rowXY, at, 4);
      if (j >= i) split(shifted.sumXX[i * nodes + j]! * scaleX[i]! * scaleX[j]!, rowXX, at, 4);
    }
  }
  return { sumXY, sumXX };
}

function scalesFor(pivots: Float64Array, deviation: (column: number) => number): Float64Array {
  return pivots.map((pivot, column) => scaleFor(Math.max(Math.abs(pivot), deviation(column))));
}

/**
 * The power of two that scales the largest magnitude of a column to between one and two, as in shaders/pivots.wgsl; 1
 * for a column of zeros.
 */
export function scaleFor(largest: number): number {
  if (largest === 0) return 1;
  return 2 ** -Math.max(-126, Math.min(126, Math.floor(Math.log2(largest))));
}

function split(value: number, words: Float32Array, at: number, low: number): void {
  words[at] = value;
  words[at + low] = value - words[at];
}
