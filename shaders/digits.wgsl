// Writes the deviations of one layer pair's staged rows as digits for accumulate-exact.wgsl, and adds the deviations
// and their squares to the column sums. Twin: addDeviations in src/statistics/cpu-accumulator.ts.
// One thread per column; z is 0 for x and 1 for y.
//
// A deviation becomes an integer of at most 2^29 quanta, 2^20 a + 2^10 b + c with digits from -512 to 512. The quantum
// is 2^(e - 29), where 2^e is the first power of two beyond the column's largest deviation in these rows; everything
// that is added up below is about these integers, so the sums of a column agree with each other.

struct Params {
  rows: u32,
  stride: u32,
  first_batch: u32,
  stage_rows: u32,
  // quantity of x; y follows it
  quantity: u32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> refusal: Refusal;
@group(0) @binding(2) var<storage, read> pivots: array<vec2f>;
@group(0) @binding(3) var<storage, read> stage: array<f32>;
// [x or y, row, digit, column]
@group(0) @binding(4) var<storage, read_write> digits: array<f32>;
// [x or y, column]
@group(0) @binding(5) var<storage, read_write> exponents: array<i32>;
// [quantity, column]: sum (high, low), sum of squares (high, low)
@group(0) @binding(6) var<storage, read_write> column_sums: array<vec4f>;

// Deviations below 2^-90 are far from any variance above EPS; powers of two stay within f32.
const SMALLEST_EXPONENT: i32 = -90;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.stride) {
    return;
  }
  fence = params.zero;
  let rows = valid_rows(refusal, params.first_batch, params.rows);
  let quantity = params.quantity + id.z;
  let base = quantity * params.stage_rows * params.stride + id.x;
  let pivot = pivots[quantity * params.stride + id.x];
  var largest = 0.0;
  for (var row = 0u; row < rows; row++) {
    largest = max(largest, abs(stage[base + row * params.stride] - pivot.x));
  }
  let exponent = max(exponent_of(largest * pivot.y) + 1, SMALLEST_EXPONENT);
  exponents[id.z * params.stride + id.x] = exponent;

  let quanta = power_of_two(29 - exponent);
  var high_sum = 0;
  var low_sum = 0;
  var squares = vec2f();
  for (var row = 0u; row < rows; row++) {
    // Exact: the deviation as two words, scaled by powers of two, rounded once to whole quanta.
    let deviation = two_sum(stage[base + row * params.stride], -pivot.x) * pivot.y * quanta;
    let whole = floor(deviation.x);
    let integer = i32(whole) + i32(floor(opaque(deviation.x - whole) + deviation.y + 0.5));
    let a = (integer + (1 << 19u)) >> 20u;
    let after_a = integer - (a << 20u);
    let b = (after_a + (1 << 9u)) >> 10u;
    let c = after_a - (b << 10u);
    let to = (id.z * params.stage_rows + row) * 3u * params.stride + id.x;
    digits[to] = f32(a);
    digits[to + params.stride] = f32(b);
    digits[to + 2u * params.stride] = f32(c);
    high_sum += (a << 10u) + b;
    low_sum += c;
    let value = quick_two_sum(f32((a << 10u) + b) * 1024.0, f32(c));
    squares = ext_add(squares, ext_multiply(value, value));
  }
  let quantum = power_of_two(exponent - 29);
  let sum = ext_add(ext_integer(high_sum) * 1024.0, ext_integer(low_sum)) * quantum;
  let column = quantity * params.stride + id.x;
  let held = column_sums[column];
  column_sums[column] = vec4f(ext_add(held.xy, sum), ext_add(held.zw, squares * quantum * quantum));
}
