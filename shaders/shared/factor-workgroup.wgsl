// A factor while it is computed by one workgroup, for conditioning sets of at most WORKGROUP_SET members (src/scores/
// webgpu-kernels.ts): in the workgroup's memory, of which every adapter has 16 KiB.
const WORKGROUP_SET: u32 = 60u;
var<workgroup> packed: array<vec2f, (WORKGROUP_SET + 1u) * (WORKGROUP_SET + 2u) / 2u>;

fn factor_barrier() {
  workgroupBarrier();
}
