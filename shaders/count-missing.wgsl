// Counts the missing (NaN) aggregated scores of a panel, per target: those with flagged sources, with other sources,
// and with itself. Twin: src/ranking/host-score-scanner.ts. One thread per (target, source).

struct Params {
  nodes: u32,
  panel_row: u32,
  elements: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
// bits, row-major [target of the panel, source]
@group(0) @binding(1) var<storage, read> scores: array<u32>;
// 1: flagged
@group(0) @binding(2) var<storage, read> sources: array<u32>;
// [target]: with other sources, with flagged ones, with itself
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;

const EXPONENT_BITS: u32 = 0x7f800000u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  if (index >= params.elements || (scores[index] & EXPONENT_BITS) != EXPONENT_BITS) {
    return;
  }
  let target_index = params.panel_row + index / params.nodes;
  let source = index % params.nodes;
  atomicAdd(&counts[3u * target_index + select(sources[source], 2u, source == target_index)], 1u);
}
