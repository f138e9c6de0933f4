// Cholesky factors of middle and large conditioning sets (shaders/shared/cholesky.wgsl). One workgroup per target; a
// thread has every WORKGROUP-th row, and the columns follow one another.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let index = workgroup_index(group, groups);
  if (index >= params.targets) {
    return;
  }
  let header = target_header(index);
  let largest = largest_diagonal(header);
  var found = 0u;
  for (var column = 0u; column < header.size; column++) {
    // Row `column` of the factor is complete: it was written in earlier rounds, by another thread.
    factor_barrier();
    let pivot = pivot_of(header, column, largest);
    found |= pivot.found;
    // The first row from `column` on that is this thread's.
    let first = column + (local + WORKGROUP - column % WORKGROUP) % WORKGROUP;
    for (var row = first; row <= header.size; row += WORKGROUP) {
      set_factor_entry(header, row, column, entry_of(header, row, column, pivot.reciprocal));
    }
  }
  factor_barrier();
  if (local == 0u) {
    finish(header, found);
  }
  factor_barrier();
  keep_factor(header, local, WORKGROUP);
}
