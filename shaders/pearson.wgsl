// Pearson correlations of one layer pair, for the targets of a panel. Twin: src/scoring/pearson.ts.
// One thread per (target, source).

struct Params {
  nodes: u32,
  stride: u32,
  panel_row: u32,
  // rows of the panel in this dispatch: the first, and one past the last
  first_row: u32,
  end_row: u32,
  inverse_count_high: f32,
  inverse_count_low: f32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> moments: array<Moment>;
@group(0) @binding(2) var<storage, read> sum_xy: array<f32>;
// bits, row-major [target of the panel, source]
@group(0) @binding(3) var<storage, read_write> scores: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let place = workgroup_index(group, groups) * WORKGROUP + local;
  let row = params.first_row + place / params.nodes;
  let source = place % params.nodes;
  let target_index = params.panel_row + row;
  if (row >= params.end_row || target_index >= params.nodes) {
    return;
  }
  let index = row * params.nodes + source;
  let x = moments[source];
  let y = moments[params.stride + target_index];
  if (is_constant(x) || is_constant(y)) {
    scores[index] = NO_SCORE;
    return;
  }
  let at = sum_index(row, source, params.stride);
  let inverse_count = vec2f(params.inverse_count_high, params.inverse_count_low);
  let joint = covariance(vec2f(sum_xy[at], sum_xy[at + 4u]), inverse_count, x, y);
  scores[index] = score_bits(joint, ds_multiply(x.deviation, y.deviation));
}
