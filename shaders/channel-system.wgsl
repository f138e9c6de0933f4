// The system of a ridge regression augmented by the identity, [S/n + lambda I | I], from its sums S (method.md,
// "score = 'channel'").
// Twin: src/scoring/channel/ridge-factor.ts. One thread per element.

struct Params {
  // rows of S
  size: u32,
  // rows padded to whole blocks; padding rows are those of the identity
  rows: u32,
  lambda: f32,
  inverse_count: f32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
// [size, size], high and low words
@group(0) @binding(1) var<storage, read> sums: array<vec2f>;
// [rows, 2 rows]
@group(0) @binding(2) var<storage, read_write> augmented: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let row = index / (2u * params.rows);
  let column = index % (2u * params.rows);
  if (row >= params.rows) {
    return;
  }
  var value = 0.0;
  if (row < params.size && column < params.size) {
    let sum = sums[row * params.size + column];
    value = (sum.x + sum.y) * params.inverse_count + select(0.0, params.lambda, row == column);
  } else if (column % params.rows == row) {
    value = 1.0;
  }
  augmented[index] = value;
}
