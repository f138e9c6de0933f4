// A factor while it is computed by one workgroup, for conditioning sets of at most WORKGROUP_SET members (src/scores/
// webgpu-kernels.ts): in the workgroup's memory, of which every adapter has 16 KiB.
const WORKGROUP_SET: u32 = 60u;
var<workgroup> packed: array<vec2f, (WORKGROUP_SET + 1u) * (WORKGROUP_SET + 2u) / 2u>;

fn factor_entry(header: TargetHeader, row: u32, column: u32) -> vec2f {
  return packed[packed_index(row, column)];
}

fn set_factor_entry(header: TargetHeader, row: u32, column: u32, value: vec2f) {
  packed[packed_index(row, column)] = value;
}

// Writes the finished factor to its place; the thread's share of it.
fn keep_factor(header: TargetHeader, local: u32, threads: u32) {
  let elements = packed_index(header.size, header.size) + 1u;
  for (var element = local; element < elements; element += threads) {
    factors[header.factor + element] = packed[element];
  }
}

fn factor_barrier() {
  workgroupBarrier();
}
