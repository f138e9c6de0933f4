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
);

/**
 * The complementary error function, accurate to a few units in the last place relative to its own size, far into the
 * tail: erfc(26) = 5.7e-296 has as many digits as erfc(1).
 */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (!(size < 28)) return x > 0 ? 0 : x < 0 ? 2 : NaN;
  // Clenshaw's recurrence, with one product and one sum from each step to the next.
  const t = (2 * (size - 3)) / (size + 3);
  let b1 = 0;
  let b2 = 0;
  for (let k = SERIES.length - 1; k > 0; k--) {
    const b0 = t * b1 + (SERIES[k]! - b2);
    b2 = b1;
    b1 = b0;
  }
  const series = 0.5 * t * b1 - b2 + SERIES[0]!;
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
