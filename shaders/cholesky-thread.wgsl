// Cholesky factors of small conditioning sets (shaders/shared/cholesky.wgsl). One thread per target, no barriers.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  fence = params.zero;
  if (id.x >= params.targets) {
    return;
  }
  let header = target_header(id.x);
  let largest = largest_diagonal(header);
  var found = 0u;
  for (var column = 0u; column < header.size; column++) {
    let pivot = pivot_of(header, column, largest);
    found |= pivot.found;
    for (var row = column; row <= header.size; row++) {
      set_factor_entry(header, row, column, entry_of(header, row, column, pivot.reciprocal));
    }
  }
  finish(header, found);
  keep_factor(header, 0u, 1u);
}
