/**
 * Chebyshev coefficients of h(t) = erfcx(x) (x + 1/2) in t = (x - 3) / (x + 3), where erfcx(x) = exp(x^2) erfc(x):
 * h is smooth on all of [-1, 1] and tends to 1 / sqrt(pi), so a short series is exact to the last bits everywhere.
 * Computed with 60 digits by test/fixtures/significance/make_goldens.py.
 */
const SERIES = Float64Array.of(
  0.58878128709828,
  0.002676952269807838,
  -0.046887751711421045,
  0.02718326277872161,
  -0.009488298353922604,
  0.002226713030731356,
  -0.00031677658552765734,
  8.830859761585797e-6,
  6.420766432028336e-6,
  -1.0036142829529957e-6,
  -9.037613952074186e-8,
  3.7749141719125465e-8,
  9.428342619193015e-10,
  -1.349759524899182e-9,
  -7.300395599695525e-12,
  5.1808037229847447e-11,
  7.378579883117365e-13,
  -2.1386700321984555e-12,
  -1.039612464298995e-13,
  9.067251001588482e-14,
  9.867127872723695e-15,
  -3.643971868796337e-15,
  -7.584939345114058e-16,
  1.1757056129390701e-16,
  5.0030558459108337e-17,
  -1.0286264084769273e-18,
);
/** Index of the last odd term; the series ends on it. */
const LAST = SERIES.length - 1;

/**
 * The complementary error function, accurate to a few units in the last place relative to its own size, far into the
 * tail: erfc(26) = 5.7e-296 has as many digits as erfc(1).
 */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (!(size < 28)) return x > 0 ? 0 : x < 0 ? 2 : NaN;
  // Clenshaw's recurrence for the even and for the odd terms, both in 2 t^2 - 1: two short chains that a processor
  // works on at once take half the time of one.
  const t = (size - 3) / (size + 3);
  const twice = 4 * t * t - 2;
  let [even1, even2, odd1, odd2] = [0, 0, 0, 0];
  for (let k = LAST; k > 0; k -= 2) {
    const even0 = twice * even1 + (SERIES[k - 1]! - even2);
    const odd0 = twice * odd1 + (SERIES[k]! - odd2);
    even2 = even1;
    even1 = even0;
    odd2 = odd1;
    odd1 = odd0;
  }
  // The even terms are T_2k(t) = T_k(2 t^2 - 1); the odd ones T_2k+1(t) = t W_k with W_0 = 1 and W_1 = 2 (2 t^2 - 1) - 1.
  const series = even1 - 0.5 * twice * even2 + t * (odd1 - odd2);
  const tail = (gaussian(size) * series) / (size + 0.5);
  return x < 0 ? 2 - tail : tail;
}

/**
 * exp(-x^2). Rounding x^2 costs x^2 units in the last place, so where that is more than a few there are two factors:
 * the square of x rounded to float32 is exact, and what is missing of it is small.
 */
function gaussian(x: number): number {
  if (x < 2) return Math.exp(-x * x);
  const coarse = Math.fround(x);
  return Math.exp(-coarse * coarse) * Math.exp((coarse - x) * (coarse + x));
}
