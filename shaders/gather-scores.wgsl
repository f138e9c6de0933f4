// Copies listed scores out of a panel. One thread per listed pair; each panel's dispatch copies the pairs it holds.
// Twin: src/ranking/gather.ts.

struct Params {
  nodes: u32,
  panel_row: u32,
  panel_rows: u32,
  count: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
// source * nodes + target
@group(0) @binding(1) var<storage, read> pair_indices: array<u32>;
// bits, row-major [target of the panel, source]
@group(0) @binding(2) var<storage, read> scores: array<u32>;
@group(0) @binding(3) var<storage, read_write> gathered: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  if (index >= params.count) {
    return;
  }
  let source = pair_indices[index] / params.nodes;
  let row = pair_indices[index] % params.nodes - params.panel_row;
  // `row` wraps around for targets before the panel's first.
  if (row < params.panel_rows) {
    gathered[index] = scores[row * params.nodes + source];
  }
}
