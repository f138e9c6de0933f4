// Centres the staged rows in place, value -> (value - pivot) * scale, and adds the deviations and their squares to the
// column sums. Twin: addDeviations in src/statistics/cpu-accumulator.ts. One thread per column; z is the quantity.

struct Params {
  rows: u32,
  stride: u32,
  first_batch: u32,
  stage_rows: u32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> refusal: Refusal;
@group(0) @binding(2) var<storage, read> pivots: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> stage: array<f32>;
// [quantity, column]: sum (high, low), sum of squares (high, low)
@group(0) @binding(4) var<storage, read_write> column_sums: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.stride) {
    return;
  }
  fence = params.zero;
  let rows = valid_rows(refusal, params.first_batch, params.rows);
  let base = id.z * params.stage_rows * params.stride + id.x;
  let column = id.z * params.stride + id.x;
  let pivot = pivots[column];
  var sum = column_sums[column].xy;
  var squares = column_sums[column].zw;
  for (var row = 0u; row < rows; row++) {
    let at = base + row * params.stride;
    let deviation = opaque(stage[at] - pivot.x) * pivot.y;
    stage[at] = deviation;
    sum = ext_add(sum, vec2f(deviation, 0.0));
    squares = ext_add(squares, two_product(deviation, deviation));
  }
  column_sums[column] = vec4f(sum, squares);
}
