/** Statistics as a straight port of the method holds them, and by two passes in float64: see bench/job. */
import type { MagnitudeBatch, SufficientStatistics } from '../../src/statistics.ts';
import { emptyPair } from '../../src/statistics/merge.ts';

/** One layer pair, raw: products of each batch in single precision, sums over batches in double. */
export function portStatistics(batches: Iterable<MagnitudeBatch>, nodes: number): SufficientStatistics {
  const pair = emptyPair(nodes);
  let samples = 0;
  /** The sum over the batch of the products of two columns, every step rounded to float32. */
  const dot = (a: Float32Array, i: number, b: Float32Array, j: number, size: number): number => {
    let sum = 0;
    for (let row = 0; row < size; row++) {
      sum = Math.fround(sum + Math.fround(a[row * nodes + i]! * b[row * nodes + j]!));
    }
    return sum;
  };
  for (const {
    size,
    x: [x],
    y: [y],
  } of batches) {
    samples += size;
    const ones = new Float32Array(size * nodes).fill(1);
    for (let i = 0; i < nodes; i++) {
      pair.sumX[i]! += dot(x!, i, ones, i, size);
      pair.sumY[i]! += dot(y!, i, ones, i, size);
      pair.sumY2[i]! += dot(y!, i, y!, i, size);
      for (let j = 0; j < nodes; j++) {
        pair.sumXY[i * nodes + j]! += dot(x!, i, y!, j, size);
        pair.sumXX[i * nodes + j]! += dot(x!, i, x!, j, size);
      }
    }
  }
  return { nodes, samples, pairs: [pair] };
}

/** The oracle: means in a first pass over the magnitudes, products about them in a second, all in float64. */
export function twoPassStatistics(batches: readonly MagnitudeBatch[], nodes: number): SufficientStatistics {
  const pair = emptyPair(nodes);
  const samples = batches.reduce((sum, { size }) => sum + size, 0);
  for (const { size, x, y } of batches) {
    for (let at = 0; at < size * nodes; at++) {
      pair.pivotX[at % nodes]! += x[0]![at]! / samples;
      pair.pivotY[at % nodes]! += y[0]![at]! / samples;
    }
  }
  const a = new Float64Array(nodes);
  const b = new Float64Array(nodes);
  for (const { size, x, y } of batches) {
    for (let row = 0; row < size; row++) {
      for (let i = 0; i < nodes; i++) {
        a[i] = x[0]![row * nodes + i]! - pair.pivotX[i]!;
        b[i] = y[0]![row * nodes + i]! - pair.pivotY[i]!;
        pair.sumX[i]! += a[i]!;
        pair.sumY[i]! += b[i]!;
        pair.sumY2[i]! += b[i]! ** 2;
      }
      for (let i = 0; i < nodes; i++) {
        for (let j = 0; j < nodes; j++) {
          pair.sumXY[i * nodes + j]! += a[i]! * b[j]!;
          pair.sumXX[i * nodes + j]! += a[i]! * a[j]!;
        }
      }
    }
  }
  return { nodes, samples, pairs: [pair] };
}
