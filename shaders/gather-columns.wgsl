// Copies the centred values and exponents of listed columns of x side by side, as the left operand of products that
// form rows of X^T X. One thread per (row, listed column); padding is zero.
// Twin: `select` in src/statistics/row-buffer.ts.

struct Params {
  rows: u32,
  stride: u32,
  // columns listed, without and with padding
  count: u32,
  width: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
// [row, column] of x, the first plane
@group(0) @binding(2) var<storage, read> values: array<u32>;
@group(0) @binding(3) var<storage, read> exponents: array<i32>;
@group(0) @binding(4) var<storage, read_write> listed_values: array<u32>;
@group(0) @binding(5) var<storage, read_write> listed_exponents: array<i32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let row = index / params.width;
  let place = index % params.width;
  if (row >= params.rows) {
    return;
  }
  var value = 0u;
  var exponent = 0;
  if (place < params.count) {
    value = values[row * params.stride + columns[place]];
    exponent = exponents[columns[place]];
  }
  listed_values[index] = value;
  if (row == 0u) {
    listed_exponents[place] = exponent;
  }
}
