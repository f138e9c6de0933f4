// A factor while it is computed by one thread, for conditioning sets of at most THREAD_SET members (src/scores/
// webgpu-kernels.ts): the thread's own. GPUs lay such arrays out interleaved, neighbouring threads side by side.
const THREAD_SET: u32 = 16u;
var<private> packed: array<vec2f, (THREAD_SET + 1u) * (THREAD_SET + 2u) / 2u>;

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
