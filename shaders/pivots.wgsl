// The pivot of each column (mean over the first range of stored rows) and its initial power-of-two scale.
// Twin: columnMeans in src/statistics/pair-accumulator.ts. One thread per column of the layer pairs that share a chunk
// buffer; z is the plane.

struct Params {
  rows: u32,
  stride: u32,
  first_batch: u32,
  end_batch: u32,
  // rows per quantity in a chunk
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

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.stride) {
    return;
  }
  fence = params.zero;
  let rows = valid_rows(refusal, params.first_batch, params.end_batch, 0u, params.rows);
  let base = id.z * params.chunk_rows * params.stride + id.x;
  var largest = 0.0;
  for (var row = 0u; row < rows; row++) {
    largest = max(largest, abs(chunk[base + row * params.stride]));
  }
  // Scales the largest magnitude to between one and two, so that squares of deviations stay far from the limits of f32.
  // A column of zeros gets its scale later (RangeCheck in src/engine/webgpu/statistics/range-check.ts).
  let scale = select(power_of_two(clamp(-exponent_of(largest), -126, 126)), 1.0, largest == 0.0);
  var pivot = 0.0;
  if (rows > 0u) {
    // The mean of differences from the first row keeps digits that a plain sum of large values would lose.
    let origin = chunk[base] * scale;
    let share = 1.0 / f32(rows);
    var mean = 0.0;
    for (var row = 0u; row < rows; row++) {
      mean += opaque(chunk[base + row * params.stride] * scale - origin) * share;
    }
    pivot = (origin + mean) / scale;
  }
  pivots[(params.quantity + id.z) * params.stride + id.x] = vec2f(pivot, scale);
}
