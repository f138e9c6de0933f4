// A factor in `packed` while it is computed, in the order of its place in storage, to which it goes when it is finished.

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
