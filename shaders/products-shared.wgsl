// Products from shared memory: a workgroup of SIDE x SIDE threads computes a square tile of sums, a few rows of both
// operands at a time; a thread keeps one block of 4 x 4 in registers or (WIDE) four, half a tile apart, so that
// neighbouring threads read neighbouring words. Twin: src/statistics/scalar-blocks.ts.

override SIDE: u32;
override WIDE: bool;
// Operands of one column group that are held at a time; OPERAND_ROWS * DEPTH divides CHUNK.
override DEPTH: u32;

// Groups of four columns of a tile.
override GROUPS: u32 = SIDE * (1u + u32(WIDE));

// [operand, column group]
var<workgroup> left_tile: array<Operand, DEPTH * GROUPS>;
var<workgroup> right_tile: array<Operand, DEPTH * GROUPS>;

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) thread: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let span = 4u * GROUPS;
  let tile = tile_at(params.first_tile + workgroup_index(group, groups), span);
  let rows = counted_rows();
  if (!tile.valid || rows == 0u) {
    return;
  }
  let left_step = params.left_stride / 4u;
  let right_step = params.stride / 4u;
  let left = first_left(group.z);
  let right = first_right(group.z);
  var a = Block();
  var b = Block();
  var c = Block();
  var d = Block();
  for (var first = 0u; first < rows; first += OPERAND_ROWS * DEPTH) {
    workgroupBarrier();
    for (var k = local; k < DEPTH * GROUPS; k += SIDE * SIDE) {
      let row = first + OPERAND_ROWS * (k / GROUPS);
      let left_group = tile.row / 4u + k % GROUPS;
      let right_group = tile.column / 4u + k % GROUPS;
      left_tile[k] = Operand();
      right_tile[k] = Operand();
      if (row < rows && left_group < left_step) {
        left_tile[k] = left_operand(left + row * left_step + left_group, rows - row);
      }
      if (row < rows && right_group < right_step) {
        right_tile[k] = right_operand(right + row * right_step + right_group, rows - row);
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      let upper = left_tile[k * GROUPS + thread.y];
      let before = right_tile[k * GROUPS + thread.x];
      multiply(&a, upper, before);
      if (WIDE) {
        let lower = left_tile[k * GROUPS + SIDE + thread.y];
        let after = right_tile[k * GROUPS + SIDE + thread.x];
        multiply(&b, upper, after);
        multiply(&c, lower, before);
        multiply(&d, lower, after);
      }
    }
    if ((first + OPERAND_ROWS * DEPTH) % CHUNK == 0u || first + OPERAND_ROWS * DEPTH >= rows) {
      flush(&a);
      if (WIDE) {
        flush(&b);
        flush(&c);
        flush(&d);
      }
    }
  }
  let row = tile.row + 4u * thread.y;
  let column = tile.column + 4u * thread.x;
  add_block(&a, group.z, row, column, tile.column, span);
  if (WIDE) {
    add_block(&b, group.z, row, column + span / 2u, tile.column, span);
    add_block(&c, group.z, row + span / 2u, column, tile.column, span);
    add_block(&d, group.z, row + span / 2u, column + span / 2u, tile.column, span);
  }
}
