// Rows of S_xx, in units, for the sources that the conditioning sets of a block of targets name.
// Twin: covariances in src/statistics/covariances.ts. One thread per (listed row, column); one dispatch per panel of
// X^T X writes what that panel holds.

struct Params {
  rows: u32,
  stride: u32,
  panel_row: u32,
  panel_rows: u32,
  inverse_count_high: f32,
  inverse_count_low: f32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_sources: array<u32>;
@group(0) @binding(2) var<storage, read> moments: array<Moment>;
@group(0) @binding(3) var<storage, read> sum_xx: array<f32>;
// [listed row, column]
@group(0) @binding(4) var<storage, read_write> covariance_rows: array<vec2f>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let row = index / params.stride;
  let column = index % params.stride;
  if (row >= params.rows) {
    return;
  }
  let source = row_sources[row];
  let place = symmetric_place(source, column);
  if (place.x < params.panel_row || place.x >= params.panel_row + params.panel_rows) {
    return;
  }
  let at = sum_index(place.x - params.panel_row, place.y, params.stride);
  let inverse_count = vec2f(params.inverse_count_high, params.inverse_count_low);
  covariance_rows[index] =
    covariance(vec2f(sum_xx[at], sum_xx[at + 4u]), inverse_count, moments[source], moments[column]);
}
