// Means and variances of the columns of one layer pair. Twin: pairMoments in src/statistics/covariances.ts.
// One thread per column; z is 0 for x, 1 for y.

struct Params {
  stride: u32,
  // quantities of x and y in the column sums
  quantity_x: u32,
  quantity_y: u32,
  inverse_count_high: f32,
  inverse_count_low: f32,
  // 0: limits on variances are relative; 1: the limit is the floor, (high + low) 2^exponent, high from 1 to 2 or both 0
  has_floor: u32,
  floor_high: f32,
  floor_low: f32,
  floor_exponent: i32,
  zero: u32,
}

override WORKGROUP: u32;
// 1: variances of x come from the diagonal of X^T X; 0: from the column sums, if no X^T X is needed
override FROM_DIAGONAL: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pivots: array<vec2f>;
@group(0) @binding(2) var<storage, read> column_sums: array<vec4f>;
// diagonal of X^T X
@group(0) @binding(3) var<storage, read> diagonal: array<vec2f>;
// [x or y, column]
@group(0) @binding(4) var<storage, read_write> moments: array<Moment>;
// [x or y, column], 1: constant in this layer pair or an earlier one
@group(0) @binding(5) var<storage, read_write> constants: array<u32>;

// A variance at or below this fraction of the mean square is rounding (src/scoring/constant-nodes.ts).
const CONSTANT_SHARE: f32 = 1e-14;

// Smallest variance of scaled deviations for which units are chosen.
const SMALLEST: f32 = 7.8886090522101181e-31;

// The floor for magnitudes multiplied by 2^exponent. The clamp takes effect only beyond any variance that occurs.
fn floor_at(exponent: i32) -> vec2f {
  let power = power_of_two(clamp(params.floor_exponent + 2 * exponent, -126, 126));
  return vec2f(params.floor_high, params.floor_low) * power;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.stride) {
    return;
  }
  fence = params.zero;
  let is_x = id.z == 0u;
  let column = id.x;
  let place = select(params.quantity_y, params.quantity_x, is_x) * params.stride + column;
  let inverse_count = vec2f(params.inverse_count_high, params.inverse_count_low);
  let mean = ds_multiply(column_sums[place].xy, inverse_count);
  var squares = column_sums[place].zw;
  if (is_x && FROM_DIAGONAL == 1u) {
    // The diagonal of X^T X, bit for bit: if two sources are equal, their covariance must equal their variances.
    squares = diagonal[column];
  }
  var variance = raw_covariance(squares, inverse_count, mean, mean);
  if (variance.x < 0.0) {
    variance = vec2f(0.0);
  }
  let scale = pivots[place].y;
  let scale_exponent = exponent_of(scale);
  // Mean of the magnitudes themselves, scaled.
  let level = ds_add(vec2f(pivots[place].x * scale, 0.0), mean).x;
  let rounding = CONSTANT_SHARE * (level * level + variance.x);
  var is_constant = variance.x <= rounding;
  if (params.has_floor == 1u) {
    is_constant = ds_subtract(variance, floor_at(scale_exponent)).x <= 0.0;
  }
  // Units are no finer than rounding.
  let unit_exponent = -(exponent_of(max(max(variance.x, rounding), SMALLEST)) >> 1u);
  let unit = power_of_two(unit_exponent);
  let magnify = power_of_two(clamp(-2 * (unit_exponent + scale_exponent), -126, 126));
  variance = variance * unit * unit;
  let least = f32(params.has_floor) * floor_at(scale_exponent + unit_exponent).x;
  constants[id.z * params.stride + column] |= u32(is_constant);
  moments[id.z * params.stride + column] =
    Moment(mean, variance, ds_sqrt(variance), unit, magnify, least, u32(is_constant));
}
