// The pivot of each column (mean over the first range of kept rows) and its power-of-two scale, both fixed from here on.
// Twin: columnMeans in src/statistics/pair-sums.ts. One thread per column of the layer pairs that lie together; z is the
// plane.

struct Params {
  rows: u32,
  stride: u32,
  first_batch: u32,
  end_batch: u32,
  // rows that a chunk holds of each quantity
  chunk_rows: u32,
  // quantity of the first plane
  quantity: u32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> chunk: array<f32>;
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
  let rows = valid_rows(refusal, params.first_batch, params.end_batch, 0u, params.rows);
  let base = id.z * params.chunk_rows * params.stride + id.x;
  var pivot = 0.0;
  var largest = 0.0;
  if (rows > 0u) {
    // The mean of differences from the first row keeps digits that a plain sum of large values would lose.
    let origin = chunk[base];
    let share = 1.0 / f32(rows);
    var mean = 0.0;
    for (var row = 0u; row < rows; row++) {
      let value = chunk[base + row * params.stride];
      mean += opaque(value - origin) * share;
      largest = max(largest, abs(value));
    }
    pivot = origin + mean;
  }
  let scale = power_of_two(-max(exponent_of(largest) - LARGE, 0));
  pivots[(params.quantity + id.z) * params.stride + id.x] = vec2f(pivot, scale);
}
