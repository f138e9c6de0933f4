// Squared norms of blocks of ridge coefficients, over the channels of the target (method.md, "score = 'channel'"). Twin:
// src/scoring/channel/block-norms.ts. One thread per (source node, target node of a panel).

struct Params {
  sources: u32,
  // target nodes: in the panel, the panel's first, and in total
  targets: u32,
  first_target: u32,
  nodes: u32,
  // distance between rows of the coefficients
  stride: u32,
  // square of the scale of the coefficients
  factor: f32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
// first column of each node, and the end
@group(0) @binding(1) var<storage, read> source_starts: array<u32>;
@group(0) @binding(2) var<storage, read> target_starts: array<u32>;
// [source columns, columns of the panel]
@group(0) @binding(3) var<storage, read> coefficients: array<f32>;
// [source, node]; pairs of nodes without columns are left unchanged
@group(0) @binding(4) var<storage, read_write> norms: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let i = index / params.targets;
  let j = params.first_target + index % params.targets;
  if (i >= params.sources) {
    return;
  }
  let origin = target_starts[params.first_target];
  let columns = vec2u(target_starts[j], target_starts[j + 1u]);
  let rows = vec2u(source_starts[i], source_starts[i + 1u]);
  if (columns.x == columns.y || rows.x == rows.y) {
    return;
  }
  var sum = 0.0;
  for (var row = rows.x; row < rows.y; row++) {
    for (var column = columns.x; column < columns.y; column++) {
      let value = coefficients[row * params.stride + column - origin];
      sum += value * value;
    }
  }
  norms[i * params.nodes + j] = params.factor * sum / f32(columns.y - columns.x);
}
