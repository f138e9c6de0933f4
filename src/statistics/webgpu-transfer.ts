import { emptyPair, shiftPivot } from './merge.ts';
import type { PairStatistics } from './sufficient-statistics.ts';
import { panelOf, quantityOf, sumIndex, type StatisticsLayout } from './webgpu-layout.ts';
import { TILE } from './webgpu-kernels.ts';

/** Column data of all pairs as the GPU keeps it: pivots `[2 P, stride, 2]`, column sums `[2 P, stride, 4]`. */
export interface GpuColumns {
  readonly pivots: Float32Array;
  readonly columnSums: Float32Array;
}

/** Matrices of one pair as the GPU keeps them: one array per panel. */
export interface GpuMatrices {
  readonly sumXY: readonly Float32Array<ArrayBuffer>[];
  readonly sumXX: readonly Float32Array<ArrayBuffer>[];
}

/** One pair's statistics in float64 from what the GPU holds: (high, low) pairs added, scales taken off (exactly). */
export function unpackPair(
  layout: StatisticsLayout,
  p: number,
  columns: GpuColumns,
  matrices: GpuMatrices,
): PairStatistics {
  const { nodes, stride } = layout;
  const pair = emptyPair(nodes);
  const scaleX = new Float64Array(nodes);
  const scaleY = new Float64Array(nodes);
  for (let node = 0; node < nodes; node++) {
    const x = quantityOf.x(p) * stride + node;
    const y = quantityOf.y(p) * stride + node;
    pair.pivotX[node] = columns.pivots[2 * x]!;
    pair.pivotY[node] = columns.pivots[2 * y]!;
    // Before any row was applied there are no scales yet.
    scaleX[node] = columns.pivots[2 * x + 1]! || 1;
    scaleY[node] = columns.pivots[2 * y + 1]! || 1;
    pair.sumX[node] = (columns.columnSums[4 * x]! + columns.columnSums[4 * x + 1]!) / scaleX[node]!;
    pair.sumY[node] = (columns.columnSums[4 * y]! + columns.columnSums[4 * y + 1]!) / scaleY[node]!;
    pair.sumY2[node] = (columns.columnSums[4 * y + 2]! + columns.columnSums[4 * y + 3]!) / scaleY[node]! ** 2;
  }
  for (let i = 0; i < nodes; i++) {
    // A row of X^T X, and of Y^T X.
    const panel = panelOf(layout, i);
    const sumXY = matrices.sumXY[panel.index]!;
    const sumXX = matrices.sumXX[panel.index]!;
    for (let j = 0; j < nodes; j++) {
      const at = sumIndex(i - panel.row, j, stride);
      pair.sumXY[j * nodes + i] = (sumXY[at]! + sumXY[at + 4]!) / (scaleX[j]! * scaleY[i]!);
      if (j < i) continue;
      const sum = (sumXX[at]! + sumXX[at + 4]!) / (scaleX[i]! * scaleX[j]!);
      pair.sumXX[i * nodes + j] = sum;
      pair.sumXX[j * nodes + i] = sum;
    }
  }
  return pair;
}

/**
 * The reverse of {@link unpackPair}: writes the pair's columns into `columns` and returns its matrices. The pivots
 * are rounded to float32 first, and the sums shifted to match; sums keep 48 bits.
 */
export function packPair(
  layout: StatisticsLayout,
  p: number,
  pair: PairStatistics,
  samples: number,
  columns: GpuColumns,
): GpuMatrices {
  const { nodes, stride } = layout;
  const round = (pivots: Float64Array): Float64Array => Float64Array.from(pivots, Math.fround);
  const shifted = shiftPivot(pair, samples, round(pair.pivotX), round(pair.pivotY));
  const scaleX = scalesFor(shifted.pivotX, (i) => shifted.sumXX[i * nodes + i]! / samples);
  const scaleY = scalesFor(shifted.pivotY, (j) => shifted.sumY2[j]! / samples);
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
    const firstOfTile = i - (i % TILE);
    for (let j = 0; j < nodes; j++) {
      const at = sumIndex(i - panel.row, j, stride);
      split(shifted.sumXY[j * nodes + i]! * scaleX[j]! * scaleY[i]!, rowXY, at, 4);
      if (j >= firstOfTile) split(shifted.sumXX[i * nodes + j]! * scaleX[i]! * scaleX[j]!, rowXX, at, 4);
    }
  }
  return { sumXY, sumXX };
}

/** Scales as shaders/pivots.wgsl chooses them: magnitudes beyond 2^20 are scaled down to it. */
function scalesFor(pivots: Float64Array, meanSquare: (column: number) => number): Float64Array {
  return pivots.map((pivot, column) => {
    const largest = Math.max(Math.abs(pivot), Math.sqrt(meanSquare(column)));
    return largest > 2 ** 20 ? 2 ** (20 - Math.floor(Math.log2(largest))) : 1;
  });
}

function split(value: number, words: Float32Array, at: number, low: number): void {
  words[at] = value;
  words[at + low] = value - words[at];
}
