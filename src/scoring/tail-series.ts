/**
 * Constants for the significance of a correlation, shared by plain JavaScript and WebAssembly: both do the same
 * additions and multiplications in the same order, so their p-values agree bit for bit.
 */

/** Correlations are held inside +-0.9999 before atanh, which is infinite at 1 (method.md, "Significance"). */
export const LARGEST_CORRELATION = 0.9999;

/** Beyond this x, erfc(x) is below the smallest representable number. */
export const LARGEST_X = 28;

/**
 * atanh(f) / f - 1 as a series in f^2, from the highest power down: 1 / 3, 1 / 5, ... For f^2 up to 0.0295, which is
 * (sqrt 2 - 1)^2 / (sqrt 2 + 1)^2, the truncation error is below 2^-56.
 */
export const ATANH_SERIES = Float64Array.from({ length: 11 }, (_, k) => 1 / (23 - 2 * k));

/**
 * exp(r) as a series, from the highest power down. For |r| up to slightly above ln 2 / 2, the truncation error is below
 * 2^-57.
 */
export const EXP_SERIES = Float64Array.from({ length: 14 }, (_, k) => 1 / factorial(13 - k));

/** ln 2 in two parts: integer multiples of the first one are exact. */
export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;

/** Adding and then subtracting it rounds a number below 2^51 to the nearest integer. */
export const TO_WHOLE = 1.5 * 2 ** 52;

/**
 * Chebyshev coefficients of h(t) = erfcx(x) (x + 1/2) in t = (x - 3) / (x + 3), where erfcx(x) = exp(x^2) erfc(x):
 * h is smooth on all of [-1, 1] and tends to 1 / sqrt(pi), so a short series is exact to the last bits everywhere.
 * Computed with 60 digits by test/fixtures/significance/make_goldens.py.
 */
export const ERFCX_SERIES = Float64Array.of(
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

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}
