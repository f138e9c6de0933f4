// What the scores need of one column (method.md, "Covariances"), in units in which its variance is near one: x in
// units of 1 / (scale * unit), both powers of two, so that nothing here comes near the ends of the range of f32.
struct Moment {
  // mean of the scaled deviations from the pivot
  mean: vec2f,
  // variance in units
  variance: vec2f,
  // square root of it
  deviation: vec2f,
  unit: f32,
  // what a (co)variance in units is multiplied with to be one of the magnitudes themselves, where that is well within
  // f32: 2^-126 or 2^126 where it is not
  magnify: f32,
  // what is left of the variance, in units, must be above this for a partial correlation; 0 where limits are relative:
  // shares as small as the method's are float64's to look at (UNSETTLED_RATIO)
  least: f32,
  // 1: the method takes it for constant
  constant: u32,
}

fn is_constant(moment: Moment) -> bool {
  return moment.constant == 1u;
}

// sum / n - mean_a mean_b, of scaled deviations.
fn raw_covariance(sum: vec2f, inverse_count: vec2f, mean_a: vec2f, mean_b: vec2f) -> vec2f {
  return ds_subtract(ds_multiply(sum, inverse_count), ds_multiply(mean_a, mean_b));
}

// The same in units.
fn covariance(sum: vec2f, inverse_count: vec2f, a: Moment, b: Moment) -> vec2f {
  return raw_covariance(sum, inverse_count, a.mean, b.mean) * a.unit * b.unit;
}

// Written where the method gives no score. Scores travel as bits: compilers may assume that floats are not NaN.
const NO_SCORE: u32 = 0x7fc00000u;

// Bits of covariance / sqrt(variance_a variance_b), clipped to [-1, 1].
fn score_bits(covariance: vec2f, deviations: vec2f) -> u32 {
  return bitcast<u32>(clamp(ds_divide(covariance, deviations).x, -1.0, 1.0));
}
