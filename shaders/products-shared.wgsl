// Products through shared memory: a workgroup of SIDE x SIDE threads computes a square tile of sums, DEPTH rows of both
// operands at a time; a thread keeps a block of 4 x 4 in registers. Twin: src/statistics/scalar-blocks.ts.

override SIDE: u32;
// Rows of both operands in shared memory at a time; DEPTH divides CHUNK.
override DEPTH: u32;

// [row, group of four columns]
var<workgroup> left_tile: array<Operand, DEPTH * SIDE>;
var<workgroup> right_tile: array<Operand, DEPTH * SIDE>;

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) thread: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let span = 4u * SIDE;
  let tile = tile_at(params.first_tile + workgroup_index(group, groups), span);
  let rows = counted_rows();
  if (!tile.valid || rows == 0u) {
    return;
  }
  let left_step = params.left_stride / 4u;
  let right_step = params.stride / 4u;
  let left = first_left(group.z);
  let right = first_right(group.z);
  var block = Block();
  for (var first = 0u; first < rows; first += DEPTH) {
    workgroupBarrier();
    for (var k = local; k < DEPTH * SIDE; k += SIDE * SIDE) {
      let row = first + k / SIDE;
      let left_group = tile.row / 4u + k % SIDE;
      let right_group = tile.column / 4u + k % SIDE;
      left_tile[k] = Operand();
      right_tile[k] = Operand();
      if (row < rows && left_group < left_step) {
        left_tile[k] = left_operand(left + row * left_step + left_group);
      }
      if (row < rows && right_group < right_step) {
        right_tile[k] = right_operand(right + row * right_step + right_group);
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      multiply(&block, left_tile[k * SIDE + thread.y], right_tile[k * SIDE + thread.x]);
    }
    if ((first + DEPTH) % CHUNK == 0u || first + DEPTH >= rows) {
      flush(&block);
    }
  }
  add_block(&block, group.z, tile.row + 4u * thread.y, tile.column + 4u * thread.x, tile.column, span);
}
