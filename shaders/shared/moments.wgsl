// Moments of one column for the scores (method.md, "Covariances"), in units in which its variance is near one: x in
// units of 1 / (scale * unit), both powers of two, so that nothing here comes near the limits of f32.
struct Moment {
  // mean of the scaled deviations from the pivot
  mean: vec2f,
  // variance in units
  variance: vec2f,
  // its square root
  deviation: vec2f,
  unit: f32,
  // factor from a (co)variance in units to one of the magnitudes themselves, clamped to 2^-126 .. 2^126
  magnify: f32,
  // residual variance, in units, above which there is a partial correlation; 0 if limits are relative: ratios as small
  // as the method's limit are left to float64 (UNSETTLED_RATIO)
  least: f32,
  // 1: constant by the method's rule
  constant: u32,
}

fn is_constant(moment: Moment) -> bool {
  return moment.constant == 1u;
}

// sum / n - mean_a mean_b, for scaled deviations.
fn raw_covariance(sum: vec2f, inverse_count: vec2f, mean_a: vec2f, mean_b: vec2f) -> vec2f {
  return ds_subtract(ds_multiply(sum, inverse_count), ds_multiply(mean_a, mean_b));
}

// The same in units.
fn covariance(sum: vec2f, inverse_count: vec2f, a: Moment, b: Moment) -> vec2f {
  return raw_covariance(sum, inverse_count, a.mean, b.mean) * a.unit * b.unit;
}

// Written if the method defines no score. Scores are passed as bits: compilers may assume that floats are not NaN.
const NO_SCORE: u32 = 0x7fc00000u;

// Bits of covariance / sqrt(variance_a variance_b), clipped to [-1, 1].
fn score_bits(covariance: vec2f, deviations: vec2f) -> u32 {
  return bitcast<u32>(clamp(ds_divide(covariance, deviations).x, -1.0, 1.0));
}
