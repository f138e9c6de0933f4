// Collects a panel's aggregated scores in wanted bins, in no particular order. Twin: src/ranking/host-score-scanner.ts.
// One thread per (source, target).

struct Params {
  nodes: u32,
  panel_row: u32,
  elements: u32,
  thresholds: u32,
  // capacity of `collected`
  most: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
// bits, row-major [target of the panel, source]
@group(0) @binding(1) var<storage, read> scores: array<u32>;
// class of each target
@group(0) @binding(2) var<storage, read> classes: array<u32>;
// ordered bits, [class, threshold]
@group(0) @binding(3) var<storage, read> thresholds: array<u32>;
// one bit per bin
@group(0) @binding(4) var<storage, read> wanted: array<u32>;
// number of scores found, also beyond the capacity
@group(0) @binding(5) var<storage, read_write> found: array<atomic<u32>>;
// source * nodes + target, and the bits of the score
@group(0) @binding(6) var<storage, read_write> collected: array<vec2u>;

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
  let bits = scores[index];
  let bin = bin_of(bits, classes[target_index], params.thresholds);
  if (((wanted[bin / 32u] >> (bin % 32u)) & 1u) == 0u) {
    return;
  }
  let at = atomicAdd(&found[0], 1u);
  if (at < params.most) {
    collected[at] = vec2u((index % params.nodes) * params.nodes + target_index, bits);
  }
}
