import { erfc } from './erfc.ts';
import { ATANH_SERIES, LARGEST_CORRELATION } from './tail-series.ts';

/**
 * One-sided p of one correlation under H0: r <= 0, by Fisher's z (method.md, "Significance").
 *
 * @param conditioned |S_j| for partial correlations, 0 for plain ones
 * @returns 0.5 erfc(atanh(r) sqrt(df / 2)) with df = samples - 3 - conditioned; 1 if r is NaN or df < 2
 */
export function fisherPValue(r: number, samples: number, conditioned: number): number {
  const df = samples - 3 - conditioned;
  return r !== r || df < 2 ? 1 : upperTail(fisherZ(r, Math.sqrt(df)));
}

/** z of a correlation that is not NaN. @param rootDf square root of its degrees of freedom */
export function fisherZ(r: number, rootDf: number): number {
  const z = atanh(Math.min(LARGEST_CORRELATION, Math.abs(r))) * rootDf;
  return r < 0 ? -z : z;
}

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);
const [LOW, HIGH] = [0, 1];

/**
 * atanh of a number from 0 to below 1, accurate to a few units in the last place: with (1 + s) / (1 - s) = 2^e m it is
 * e ln 2 / 2 + atanh(f), f = (m - 1) / (m + 1), for m between the roots of 1/2 and of 2. Its twin is in
 * wasm-tail-kernel.ts.
 */
function atanh(size: number): number {
  const quotient = (1 + size) / (1 - size);
  number[0] = quotient * Math.SQRT2;
  // Every platform that runs JavaScript today is little-endian. Without its fraction a number is a power of two.
  const exponent = words[HIGH]! >>> 20;
  words[LOW] = 0;
  words[HIGH] = exponent << 20;
  const power = number[0];
  const m = quotient / power;
  // For e = 0 that is s itself, however small.
  const f = power === 1 ? size : (m - 1) / (m + 1);
  const square = f * f;
  let series = ATANH_SERIES[0]!;
  for (let k = 1; k < ATANH_SERIES.length; k++) series = series * square + ATANH_SERIES[k]!;
  return (exponent - 1023) * (0.5 * Math.LN2) + (f + f * (square * series));
}

/** Probability that a standard normal number is at least z. */
export function upperTail(z: number): number {
  return 0.5 * erfc(z / Math.SQRT2);
}

/**
 * Benjamini-Hochberg q-values: q of the k-th smallest of m p-values is the least p m / rank over the ranks from k up,
 * and at most 1.
 *
 * @param ascending row numbers in ascending order of p; absent if p is sorted already
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
