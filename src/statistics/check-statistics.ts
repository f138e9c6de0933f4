import { firstNonFinite } from '../first-non-finite.ts';
import type { PairStatistics, SufficientStatistics } from './sufficient-statistics.ts';

/**
 * Finds statistics that no samples can produce: sums that are not finite, an asymmetric matrix, negative sums of
 * squares, a product larger than its two sums of squares allow (Cauchy-Schwarz, about the pivots and about the means),
 * nonzero sums of zero samples. Rounding is allowed for: 1e-6 of the sums of squares, and 1e-12 of the squares of the
 * pivots, which cancel when statistics move to other pivots.
 *
 * @returns what is wrong, as in 'holds a negative sum of squares for node 3 of layer pair 0', or undefined
 */
export function findImpossible({ nodes, samples, pairs }: SufficientStatistics): string | undefined {
  for (const [p, pair] of pairs.entries()) {
    const found = impossibleIn(pair, nodes, samples);
    if (found !== undefined) return `${found} of layer pair ${p}`;
  }
  return undefined;
}

function impossibleIn(pair: PairStatistics, nodes: number, samples: number): string | undefined {
  for (const [name, values] of Object.entries(pair) as [keyof PairStatistics, Float64Array][]) {
    if (firstNonFinite(values) >= 0) return `holds a value in ${name} that is not finite,`;
    if (samples === 0 && !name.startsWith('pivot') && values.some((value) => value !== 0))
      return `holds nonzero sums although it has no samples, in ${name}`;
  }
  if (samples === 0) return undefined;
  const { pivotX, pivotY, sumX, sumY, sumY2, sumXY, sumXX } = pair;
  const squaresX = Float64Array.from({ length: nodes }, (_, i) => sumXX[i * nodes + i]!);
  const x = spread(squaresX, sumX, pivotX, samples);
  const y = spread(sumY2, sumY, pivotY, samples);
  for (const [side, { impossible }] of Object.entries({ x, y })) {
    const node = impossible.indexOf(true);
    if (node >= 0) return `holds sums of squares that contradict the sums of node ${node}, in ${side}`;
  }
  for (let i = 0; i < nodes; i++) {
    for (let j = 0; j < nodes; j++) {
      const at = i * nodes + j;
      const most = x.root[i]! * y.root[j]!;
      if (Math.abs(sumXY[at]! - (sumX[i]! * sumY[j]!) / samples) > most)
        return `holds a product of nodes ${i} and ${j} larger than their sums of squares allow, in sumXY`;
      const [value, mirrored] = [sumXX[at]!, sumXX[j * nodes + i]!];
      const tolerance =
        1e-9 * (Math.abs(value) + Math.abs(mirrored)) + 1e-12 * samples * Math.abs(pivotX[i]! * pivotX[j]!);
      if (Math.abs(value - mirrored) > tolerance) return `is not symmetric at nodes ${i} and ${j}, in sumXX`;
      if (j !== i && Math.abs(sumXX[at]! - (sumX[i]! * sumX[j]!) / samples) > x.root[i]! * x.root[j]!)
        return `holds a product of nodes ${i} and ${j} larger than their sums of squares allow, in sumXX`;
    }
  }
  return undefined;
}

/**
 * Per node: the root of its sum of squares about the mean plus a tolerance for rounding, and whether its sums are
 * impossible.
 */
function spread(
  squares: Float64Array,
  sums: Float64Array,
  pivots: Float64Array,
  samples: number,
): { root: Float64Array; impossible: boolean[] } {
  const impossible: boolean[] = [];
  const root = squares.map((square, i) => {
    const tolerance = 1e-6 * Math.abs(square) + 1e-12 * samples * pivots[i]! ** 2;
    const aboutMean = square - sums[i]! ** 2 / samples;
    impossible.push(square < -tolerance || aboutMean < -tolerance);
    return Math.sqrt(Math.max(aboutMean, 0) + tolerance);
  });
  return { root, impossible };
}
