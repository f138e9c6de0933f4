// Products without shared memory: each thread keeps its own tile in registers and reads both operands from storage.
// Twin: src/statistics/scalar-blocks.ts. No barrier: software adapters lose half their speed to one.

override WORKGROUP: u32;
// Whether a thread's tile is 8 x 8 rather than 4 x 4.
override WIDE: bool;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let span = select(4u, 8u, WIDE);
  let tile = tile_at(params.first_tile + workgroup_index(group, groups) * WORKGROUP + local, span);
  let rows = counted_rows();
  if (!tile.valid || rows == 0u) {
    return;
  }
  let left_step = params.left_stride / 4u;
  let right_step = params.stride / 4u;
  var left = first_left(group.z) + tile.row / 4u;
  var right = first_right(group.z) + tile.column / 4u;
  var a = Block();
  var b = Block();
  var c = Block();
  var d = Block();
  for (var chunk = 0u; chunk < rows; chunk += CHUNK) {
    let end = min(chunk + CHUNK, rows);
    for (var row = chunk; row < end; row++) {
      let upper = left_operand(left);
      let first = right_operand(right);
      multiply(&a, upper, first);
      if (WIDE) {
        let lower = left_operand(left + 1u);
        let second = right_operand(right + 1u);
        multiply(&b, upper, second);
        multiply(&c, lower, first);
        multiply(&d, lower, second);
      }
      left += left_step;
      right += right_step;
    }
    flush(&a);
    if (WIDE) {
      flush(&b);
      flush(&c);
      flush(&d);
    }
  }
  add_block(&a, group.z, tile.row, tile.column, tile.column, span);
  if (WIDE) {
    add_block(&b, group.z, tile.row, tile.column + 4u, tile.column, span);
    add_block(&c, group.z, tile.row + 4u, tile.column, tile.column, span);
    add_block(&d, group.z, tile.row + 4u, tile.column + 4u, tile.column, span);
  }
}
