import { ERFCX_SERIES, EXP_SERIES, LARGEST_X, LN2_HIGH, LN2_LOW, TO_WHOLE } from './tail-series.ts';

/** Index of the last odd term; the series ends on it. */
const LAST = ERFCX_SERIES.length - 1;

/**
 * The complementary error function, accurate to a few units in the last place relative to its own size, far into the
 * tail: erfc(26) = 5.7e-296 has as many digits as erfc(1). Its twin is in wasm-tail-kernel.ts.
 */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (!(size < LARGEST_X)) return x > 0 ? 0 : x < 0 ? 2 : NaN;
  // Clenshaw's recurrence for the even and for the odd terms, both in 2 t^2 - 1: two short chains that a processor
  // works on at once take half the time of one.
  const t = (size - 3) / (size + 3);
  const twice = 4 * t * t - 2;
  let [even1, even2, odd1, odd2] = [0, 0, 0, 0];
  for (let k = LAST; k > 0; k -= 2) {
    const even0 = twice * even1 + (ERFCX_SERIES[k - 1]! - even2);
    const odd0 = twice * odd1 + (ERFCX_SERIES[k]! - odd2);
    even2 = even1;
    even1 = even0;
    odd2 = odd1;
    odd1 = odd0;
  }
  // The even terms are T_2k(t) = T_k(2 t^2 - 1); the odd ones T_2k+1(t) = t W_k with W_0 = 1, W_1 = 2 (2 t^2 - 1) - 1.
  const series = even1 - 0.5 * twice * even2 + t * (odd1 - odd2);
  // exp(-x^2) = 2^whole exp(rest). Rounding x^2 would cost x^2 units in the last place; the square of x rounded to
  // float32 is exact, and the remainder is small.
  const coarse = Math.fround(size);
  const square = coarse * coarse;
  const whole = square * -Math.LOG2E + TO_WHOLE - TO_WHOLE;
  const rest = (coarse - size) * (coarse + size) - (square + whole * LN2_HIGH + whole * LN2_LOW);
  let exponential = EXP_SERIES[0]!;
  for (let k = 1; k < EXP_SERIES.length; k++) exponential = exponential * rest + EXP_SERIES[k]!;
  // In two steps, since the smallest powers of two are too small to multiply with.
  const half = Math.floor(0.5 * whole);
  const tail = ((exponential * series) / (size + 0.5)) * powerOfTwo(half) * powerOfTwo(whole - half);
  return x < 0 ? 2 - tail : tail;
}

/** 2^0, 2^-1, ..., down to half of the least exponent. */
const POWERS = Float64Array.from({ length: 1024 }, (_, k) => 2 ** -k);

function powerOfTwo(exponent: number): number {
  return POWERS[-exponent]!;
}
