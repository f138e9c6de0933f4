// A factor while it is computed by one workgroup, for conditioning sets of any size: in its place in storage.

fn factor_entry(header: TargetHeader, row: u32, column: u32) -> vec2f {
  return factors[factor_index(header, row, column)];
}

fn set_factor_entry(header: TargetHeader, row: u32, column: u32, value: vec2f) {
  factors[factor_index(header, row, column)] = value;
}

fn keep_factor(header: TargetHeader, local: u32, threads: u32) {
}

fn factor_barrier() {
  storageBarrier();
}
