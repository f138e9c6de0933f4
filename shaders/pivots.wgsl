// The pivot of each column (mean over the staged rows) and its power-of-two scale, both fixed from here on.
// Twin: columnMeans in src/statistics/cpu-accumulator.ts. One thread per column of the stage; z is the quantity.

struct Params {
  rows: u32,
  stride: u32,
  first_batch: u32,
  // rows that the stage holds of each quantity
  stage_rows: u32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> stage: array<f32>;
@group(0) @binding(2) var<storage, read> refusal: Refusal;
// [quantity, column]: pivot, scale
@group(0) @binding(3) var<storage, read_write> pivots: array<vec2f>;

// Magnitudes beyond 2^LARGE are scaled down to it: the squares of their deviations must stay far from 2^128.
const LARGE: i32 = 20;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.stride) {
    return;
  }
  fence = params.zero;
  let rows = valid_rows(refusal, params.first_batch, params.rows);
  let base = id.z * params.stage_rows * params.stride + id.x;
  var pivot = 0.0;
  var largest = 0.0;
  if (rows > 0u) {
    // The mean of differences from the first row keeps digits that a plain sum of large values would lose.
    let origin = stage[base];
    let share = 1.0 / f32(rows);
    var mean = 0.0;
    for (var row = 0u; row < rows; row++) {
      let value = stage[base + row * params.stride];
      mean += opaque(value - origin) * share;
      largest = max(largest, abs(value));
    }
    pivot = origin + mean;
  }
  let scale = power_of_two(-max(exponent_of(largest) - LARGE, 0));
  pivots[id.z * params.stride + id.x] = vec2f(pivot, scale);
}
