// Rows of X^T X -> rows of S_xx, in units, in place, for the sources in the conditioning sets of a block of targets.
// Twin: covariances in src/statistics/covariances.ts. One thread per (listed row, column).

struct Params {
  // listed rows of this dispatch: the first, and one past the last
  first_row: u32,
  end_row: u32,
  stride: u32,
  inverse_count_high: f32,
  inverse_count_low: f32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_sources: array<u32>;
@group(0) @binding(2) var<storage, read> moments: array<Moment>;
// [listed row, column]
@group(0) @binding(3) var<storage, read_write> covariance_rows: array<vec2f>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let place = workgroup_index(group, groups) * WORKGROUP + local;
  let row = params.first_row + place / params.stride;
  let column = place % params.stride;
  if (row >= params.end_row) {
    return;
  }
  let index = row * params.stride + column;
  let inverse_count = vec2f(params.inverse_count_high, params.inverse_count_low);
  covariance_rows[index] =
    covariance(covariance_rows[index], inverse_count, moments[row_sources[row]], moments[column]);
}
