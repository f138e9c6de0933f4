import { erfc } from './erfc.ts';

/** Correlations are held inside +-0.9999 before atanh, which is infinite at 1 (method.md, "Significance"). */
export const LARGEST_CORRELATION = 0.9999;

/**
 * One-sided p of one correlation under H0: r <= 0, by Fisher's z (method.md, "Significance").
 *
 * @param conditioned |S_j| for partial correlations, 0 for plain ones
 * @returns 0.5 erfc(atanh(r) sqrt(df / 2)) with df = samples - 3 - conditioned; 1 where r is NaN or df < 2
 */
export function fisherPValue(r: number, samples: number, conditioned: number): number {
  const df = samples - 3 - conditioned;
  return r !== r || df < 2 ? 1 : upperTail(fisherZ(r, Math.sqrt(df)));
}

/** z of a correlation that is not NaN. @param rootDf square root of its degrees of freedom */
export function fisherZ(r: number, rootDf: number): number {
  const size = Math.min(LARGEST_CORRELATION, Math.abs(r));
  // atanh, in a quarter of the time of Math.atanh.
  const z = 0.5 * Math.log1p((2 * size) / (1 - size)) * rootDf;
  return r < 0 ? -z : z;
}

/** Probability that a standard normal number is at least z. */
export function upperTail(z: number): number {
  return 0.5 * erfc(z / Math.SQRT2);
}

/**
 * Benjamini-Hochberg q-values: q of the k-th smallest of m p-values is the least of p m / rank over the ranks from k
 * up, and at most 1.
 *
 * @param ascending row numbers in ascending order of p; absent where p is in ascending order as it is
 */
export function benjaminiHochberg(p: Float64Array, ascending?: Uint32Array): Float64Array {
  const q = new Float64Array(p.length);
  let least = 1;
  for (let rank = p.length; rank > 0; rank--) {
    const row = ascending === undefined ? rank - 1 : ascending[rank - 1]!;
    least = Math.min(least, (p[row]! * p.length) / rank);
    q[row] = least;
  }
  return q;
}
