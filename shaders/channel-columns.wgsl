// Columns of channel values, centred and scaled: F and U of a regression (method.md, "score = 'channel'"), optionally
// with their rows permuted. Twin: src/scoring/channel/rows.ts. One thread per (row, column).

struct Params {
  rows: u32,
  columns: u32,
  // channels in a row of the values
  width: u32,
  // first row to write
  first_row: u32,
  // 1: row r is that of `order`
  ordered: u32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
// the channel of each column
@group(0) @binding(2) var<storage, read> channels: array<u32>;
// per column: shift to subtract and factor to multiply by, high and low words each
@group(0) @binding(3) var<storage, read> scaling: array<vec4f>;
@group(0) @binding(4) var<storage, read> order: array<u32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let row = index / params.columns;
  let column = index % params.columns;
  if (row >= params.rows) {
    return;
  }
  var origin = row;
  if (params.ordered != 0u) {
    origin = order[row];
  }
  let scale = scaling[column];
  let deviation = two_sum(values[origin * params.width + channels[column]], -scale.x);
  let exact = quick_two_sum(deviation.x, deviation.y - scale.y);
  out[(params.first_row + row) * params.columns + column] = ds_multiply(exact, scale.zw).x;
}
