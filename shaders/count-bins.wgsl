// Counts the aggregated scores of a panel by bins. Twin: src/ranking/host-score-scanner.ts. One thread per (source, target).

struct Params {
  nodes: u32,
  panel_row: u32,
  elements: u32,
  thresholds: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
// bits, row-major [target of the panel, source]
@group(0) @binding(1) var<storage, read> scores: array<u32>;
// class of each target
@group(0) @binding(2) var<storage, read> classes: array<u32>;
// ordered bits, [class, threshold]
@group(0) @binding(3) var<storage, read> thresholds: array<u32>;
@group(0) @binding(4) var<storage, read_write> counts: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  if (index >= params.elements) {
    return;
  }
  let target_index = params.panel_row + index / params.nodes;
  let bin = bin_of(scores[index], classes[target_index], params.thresholds);
  atomicAdd(&counts[bin], 1u);
}
