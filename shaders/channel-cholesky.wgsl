// Factors a block on the diagonal, A = U'U, and writes the inverse of U in its place: channel-eliminate.wgsl multiplies
// the rows of the block by it. One workgroup, a thread per column. Twin: src/scoring/channel/small-factor.ts.

struct Params {
  // first row of the block
  first: u32,
  // distance between rows
  stride: u32,
}

const BLOCK: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> augmented: array<f32>;

// U above the diagonal; on and below it the transpose of its inverse. Uses all of the 16 KiB that every adapter has.
var<workgroup> tile: array<f32, BLOCK * BLOCK>;

@compute @workgroup_size(BLOCK)
fn main(@builtin(local_invocation_index) column: u32) {
  let origin = params.first * params.stride + params.first + column;
  for (var row = 0u; row < BLOCK; row++) {
    tile[row * BLOCK + column] = augmented[origin + row * params.stride];
  }
  var own = 0.0;
  for (var k = 0u; k < BLOCK; k++) {
    workgroupBarrier();
    // Every thread computes the root itself, which costs less than a barrier.
    let reciprocal = inverseSqrt(tile[k * BLOCK + k]);
    if (column == k) {
      own = reciprocal;
    }
    if (column > k) {
      tile[k * BLOCK + column] *= reciprocal;
    }
    workgroupBarrier();
    if (column > k) {
      let above = tile[k * BLOCK + column];
      for (var row = k + 1u; row <= column; row++) {
        tile[row * BLOCK + column] -= tile[k * BLOCK + row] * above;
      }
    }
  }
  tile[column * BLOCK + column] = own;
  workgroupBarrier();
  for (var row = column + 1u; row < BLOCK; row++) {
    var sum = 0.0;
    for (var k = column; k < row; k++) {
      sum += tile[k * BLOCK + row] * tile[k * BLOCK + column];
    }
    tile[row * BLOCK + column] = -sum * tile[row * BLOCK + row];
  }
  workgroupBarrier();
  for (var row = 0u; row < BLOCK; row++) {
    augmented[origin + row * params.stride] = select(0.0, tile[column * BLOCK + row], row <= column);
  }
}
