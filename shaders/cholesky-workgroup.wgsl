// Columns of Cholesky factors, one workgroup per target, in workgroup memory (shaders/shared/cholesky.wgsl): all
// columns of medium conditioning sets; of large ones a tile on the diagonal, from whose entries the products with
// earlier columns have been subtracted (cholesky-update.wgsl). Only the last columns include the row of y.
//
// Right-looking: after every STEP columns, their products are subtracted from all that remains. The left-looking order
// would make every thread read the whole row of the pivot, one product after the other.
// Twin: src/scoring/cholesky.ts.

struct Params {
  // first word of this pair in `outcome`
  outcome_offset: u32,
  targets: u32,
  // first column of the tile, and its largest number of columns
  first_column: u32,
  columns: u32,
  zero: u32,
}

// Most members whose factor fits the 16 KiB that every adapter has (src/engine/webgpu/scoring/partial-kernels.ts).
const WORKGROUP_SET: u32 = 60u;
var<workgroup> packed: array<vec2f, (WORKGROUP_SET + 1u) * (WORKGROUP_SET + 2u) / 2u>;
// bits of a non-negative float, which sort like the float
var<workgroup> largest: atomic<u32>;

// Threads in x (neighbouring columns) and y: one subgroup on most GPUs, whose barriers cost next to nothing.
const ACROSS: u32 = 8u;
const DOWN: u32 = 4u;

// Columns finished per barrier.
const STEP: u32 = 4u;

@compute @workgroup_size(ACROSS, DOWN)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) thread: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let index = workgroup_index(group, groups);
  if (index >= params.targets) {
    return;
  }
  let header = target_header(index);
  let first = params.first_column;
  if (first >= header.size) {
    return;
  }
  let columns = min(params.columns, header.size - first);
  let rows = columns + select(0u, 1u, first + columns == header.size);
  for (var member = local; member < header.size; member += ACROSS * DOWN) {
    atomicMax(&largest, bitcast<u32>(diagonal_of(header, member)));
  }
  for (var row = thread.y; row < rows; row += DOWN) {
    for (var column = thread.x; column <= row; column += ACROSS) {
      packed[packed_index(row, column)] = factors[factor_index(header, first + row, first + column)];
    }
  }
  workgroupBarrier();
  let largest_diagonal = bitcast<f32>(atomicLoad(&largest));
  var found = 0u;
  for (var column = 0u; column < columns; column += STEP) {
    let width = min(STEP, columns - column);
    // The rows of these columns: computed by every thread, which costs less than a barrier.
    var tip: array<vec2f, STEP * STEP>;
    for (var c = 0u; c < width; c++) {
      var rest = packed[packed_index(column + c, column + c)];
      for (var m = 0u; m < c; m++) {
        rest = ds_subtract_product(rest, tip[STEP * c + m], tip[STEP * c + m]);
      }
      let pivot = pivot_of(header, first + column + c, rest, largest_diagonal);
      found |= pivot.found;
      tip[STEP * c + c] = pivot.reciprocal;
      for (var r = c + 1u; r < width; r++) {
        var entry = packed[packed_index(column + r, column + c)];
        for (var m = 0u; m < c; m++) {
          entry = ds_subtract_product(entry, tip[STEP * r + m], tip[STEP * c + m]);
        }
        tip[STEP * r + c] = ds_multiply(entry, pivot.reciprocal);
      }
    }
    let below = column + width;
    for (var row = below + local; row < rows; row += ACROSS * DOWN) {
      let start = packed_index(row, column);
      for (var c = 0u; c < width; c++) {
        var entry = packed[start + c];
        for (var m = 0u; m < c; m++) {
          entry = ds_subtract_product(entry, packed[start + m], tip[STEP * c + m]);
        }
        packed[start + c] = ds_multiply(entry, tip[STEP * c + c]);
      }
    }
    workgroupBarrier();
    if (local < width) {
      for (var c = 0u; c <= local; c++) {
        packed[packed_index(column + local, column + c)] = tip[STEP * local + c];
      }
    }
    // Trailing update of the columns to the right.
    for (var row = below + thread.y; row < rows; row += DOWN) {
      for (var other = below + thread.x; other <= row; other += ACROSS) {
        let at = packed_index(row, other);
        let of_row = packed_index(row, column);
        let of_other = packed_index(other, column);
        var rest = packed[at];
        for (var m = 0u; m < width; m++) {
          rest = ds_subtract_product(rest, packed[of_row + m], packed[of_other + m]);
        }
        packed[at] = rest;
      }
    }
    workgroupBarrier();
  }
  for (var row = thread.y; row < rows; row += DOWN) {
    for (var column = thread.x; column <= row; column += ACROSS) {
      factors[factor_index(header, first + row, first + column)] = packed[packed_index(row, column)];
    }
  }
  if (local == 0u) {
    tell(header, found);
  }
}
