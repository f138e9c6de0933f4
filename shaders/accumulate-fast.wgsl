// Adds X^T Y and X^T X of the staged deviations to the sums of one layer pair, in float32 with short chunks.
// Twin: src/statistics/scalar-products.ts. One thread per TILE x TILE block of sums, all of it in registers: products
// of CHUNK rows are summed in f32, chunk sums are added to (high, low) pairs, and the pairs are read and written once
// per dispatch. No shared memory and no barrier: software adapters lose half their speed to either.

struct Params {
  rows: u32,
  stride: u32,
  first_batch: u32,
  // first row of the panel of sums
  panel_row: u32,
  // block of this dispatch's first thread, and one past the last thread's
  first_block: u32,
  end_block: u32,
  // index in the stage, in vec4f, of row 0 of x and of y
  x_offset: u32,
  y_offset: u32,
  zero: u32,
}

override WORKGROUP: u32;
// Rows whose products are summed in f32 before they join the pairs.
override CHUNK: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> stage: array<vec4f>;
@group(0) @binding(2) var<storage, read> refusal: Refusal;
@group(0) @binding(3) var<storage, read_write> sum_xy: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> sum_xx: array<vec4f>;

// Eight columns of one row of sums: high and low words.
struct Pair {
  high: vec4f,
  low: vec4f,
}

fn opaque4(value: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(value) ^ vec4u(fence));
}

// Adds chunk sums; the low words are renormalised when they are stored.
fn add(pair: Pair, chunk: vec4f) -> Pair {
  let sum = opaque4(pair.high + chunk);
  let chunk_part = opaque4(sum - pair.high);
  let high_error = opaque4(pair.high - opaque4(sum - chunk_part));
  return Pair(sum, pair.low + (high_error + opaque4(chunk - chunk_part)));
}

fn renormalised(pair: Pair) -> Pair {
  let sum = opaque4(pair.high + pair.low);
  return Pair(sum, pair.low - opaque4(sum - pair.high));
}

fn load(symmetric: bool, at: u32) -> Pair {
  if (symmetric) {
    return Pair(sum_xx[at], sum_xx[at + 1u]);
  }
  return Pair(sum_xy[at], sum_xy[at + 1u]);
}

fn store(symmetric: bool, at: u32, pair: Pair) {
  let word = renormalised(pair);
  if (symmetric) {
    sum_xx[at] = word.high;
    sum_xx[at + 1u] = word.low;
  } else {
    sum_xy[at] = word.high;
    sum_xy[at + 1u] = word.low;
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let tiles = params.stride / TILE;
  let index = params.first_block + workgroup_index(group, groups) * WORKGROUP + local;
  let block = block_at(index, tiles);
  let rows = valid_rows(refusal, params.first_batch, params.rows);
  if (index >= params.end_block || !block.valid || rows == 0u) {
    return;
  }
  let step = params.stride / 4u;
  var left = select(params.y_offset, params.x_offset, block.symmetric) + block.row * 2u;
  var right = params.x_offset + block.column * 2u;
  let sums = (block.row * TILE - params.panel_row) * params.stride / 2u + block.column * 4u;

  var sum_a0 = load(block.symmetric, sums + 0u * params.stride / 2u);
  var sum_b0 = load(block.symmetric, sums + 0u * params.stride / 2u + 2u);
  var sum_a1 = load(block.symmetric, sums + 1u * params.stride / 2u);
  var sum_b1 = load(block.symmetric, sums + 1u * params.stride / 2u + 2u);
  var sum_a2 = load(block.symmetric, sums + 2u * params.stride / 2u);
  var sum_b2 = load(block.symmetric, sums + 2u * params.stride / 2u + 2u);
  var sum_a3 = load(block.symmetric, sums + 3u * params.stride / 2u);
  var sum_b3 = load(block.symmetric, sums + 3u * params.stride / 2u + 2u);
  var sum_a4 = load(block.symmetric, sums + 4u * params.stride / 2u);
  var sum_b4 = load(block.symmetric, sums + 4u * params.stride / 2u + 2u);
  var sum_a5 = load(block.symmetric, sums + 5u * params.stride / 2u);
  var sum_b5 = load(block.symmetric, sums + 5u * params.stride / 2u + 2u);
  var sum_a6 = load(block.symmetric, sums + 6u * params.stride / 2u);
  var sum_b6 = load(block.symmetric, sums + 6u * params.stride / 2u + 2u);
  var sum_a7 = load(block.symmetric, sums + 7u * params.stride / 2u);
  var sum_b7 = load(block.symmetric, sums + 7u * params.stride / 2u + 2u);

  for (var first = 0u; first < rows; first += CHUNK) {
    var a0 = vec4f();
    var b0 = vec4f();
    var a1 = vec4f();
    var b1 = vec4f();
    var a2 = vec4f();
    var b2 = vec4f();
    var a3 = vec4f();
    var b3 = vec4f();
    var a4 = vec4f();
    var b4 = vec4f();
    var a5 = vec4f();
    var b5 = vec4f();
    var a6 = vec4f();
    var b6 = vec4f();
    var a7 = vec4f();
    var b7 = vec4f();
    let end = min(first + CHUNK, rows);
    for (var row = first; row < end; row++) {
      let x_low = stage[left];
      let x_high = stage[left + 1u];
      let y_low = stage[right];
      let y_high = stage[right + 1u];
      left += step;
      right += step;
      a0 += x_low.x * y_low;
      b0 += x_low.x * y_high;
      a1 += x_low.y * y_low;
      b1 += x_low.y * y_high;
      a2 += x_low.z * y_low;
      b2 += x_low.z * y_high;
      a3 += x_low.w * y_low;
      b3 += x_low.w * y_high;
      a4 += x_high.x * y_low;
      b4 += x_high.x * y_high;
      a5 += x_high.y * y_low;
      b5 += x_high.y * y_high;
      a6 += x_high.z * y_low;
      b6 += x_high.z * y_high;
      a7 += x_high.w * y_low;
      b7 += x_high.w * y_high;
    }
    sum_a0 = add(sum_a0, a0);
    sum_b0 = add(sum_b0, b0);
    sum_a1 = add(sum_a1, a1);
    sum_b1 = add(sum_b1, b1);
    sum_a2 = add(sum_a2, a2);
    sum_b2 = add(sum_b2, b2);
    sum_a3 = add(sum_a3, a3);
    sum_b3 = add(sum_b3, b3);
    sum_a4 = add(sum_a4, a4);
    sum_b4 = add(sum_b4, b4);
    sum_a5 = add(sum_a5, a5);
    sum_b5 = add(sum_b5, b5);
    sum_a6 = add(sum_a6, a6);
    sum_b6 = add(sum_b6, b6);
    sum_a7 = add(sum_a7, a7);
    sum_b7 = add(sum_b7, b7);
  }

  store(block.symmetric, sums + 0u * params.stride / 2u, sum_a0);
  store(block.symmetric, sums + 0u * params.stride / 2u + 2u, sum_b0);
  store(block.symmetric, sums + 1u * params.stride / 2u, sum_a1);
  store(block.symmetric, sums + 1u * params.stride / 2u + 2u, sum_b1);
  store(block.symmetric, sums + 2u * params.stride / 2u, sum_a2);
  store(block.symmetric, sums + 2u * params.stride / 2u + 2u, sum_b2);
  store(block.symmetric, sums + 3u * params.stride / 2u, sum_a3);
  store(block.symmetric, sums + 3u * params.stride / 2u + 2u, sum_b3);
  store(block.symmetric, sums + 4u * params.stride / 2u, sum_a4);
  store(block.symmetric, sums + 4u * params.stride / 2u + 2u, sum_b4);
  store(block.symmetric, sums + 5u * params.stride / 2u, sum_a5);
  store(block.symmetric, sums + 5u * params.stride / 2u + 2u, sum_b5);
  store(block.symmetric, sums + 6u * params.stride / 2u, sum_a6);
  store(block.symmetric, sums + 6u * params.stride / 2u + 2u, sum_b6);
  store(block.symmetric, sums + 7u * params.stride / 2u, sum_a7);
  store(block.symmetric, sums + 7u * params.stride / 2u + 2u, sum_b7);
}
