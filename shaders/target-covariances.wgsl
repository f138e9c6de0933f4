// S_xy[S, j], in units, for a block of targets of one panel. Twin: src/scores/partial.ts. One thread per target.

struct Params {
  stride: u32,
  panel_row: u32,
  targets: u32,
  inverse_count_high: f32,
  inverse_count_low: f32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read> moments: array<Moment>;
@group(0) @binding(3) var<storage, read> sum_xy: array<f32>;
// one per member of each set, in the order of the plan
@group(0) @binding(4) var<storage, read_write> target_covariances: array<vec2f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.targets) {
    return;
  }
  fence = params.zero;
  let header = target_header(id.x);
  let y = moments[params.stride + header.node];
  let inverse_count = vec2f(params.inverse_count_high, params.inverse_count_low);
  for (var member = 0u; member < header.size; member++) {
    let source = member_source(header, member);
    let at = sum_index(header.node - params.panel_row, source, params.stride);
    let sum = vec2f(sum_xy[at], sum_xy[at + 4u]);
    target_covariances[member_index(header, member, params.targets)] =
      covariance(sum, inverse_count, moments[source], y);
  }
}
