// A step of the in-place elimination from [A | I] to [U | L^-1], A = U'U = L L', after a block on the diagonal has been
// factored and inverted (channel-cholesky.wgsl). With `finish`, the rows of the block are multiplied by the inverse of
// L; otherwise they are eliminated from the rows below: the Cholesky factor's trailing update and the forward
// substitution of the identity in one. Twin: src/scoring/channel/cholesky.ts. One workgroup of 16 x 16 threads per tile
// of 64 x 64, 4 x 4 elements per thread.

struct Params {
  // first row of the block
  block: u32,
  stride: u32,
  // first row and column of this dispatch
  first_row: u32,
  first_column: u32,
  finish: u32,
}

const TILE: u32 = 64u;
const STEP: u32 = 16u;

@group(0) @binding(0) var<uniform> params: Params;
// rows are whole tiles
@group(0) @binding(1) var<storage, read_write> augmented: array<vec4f>;

var<workgroup> left_tile: array<vec4f, 256>;
var<workgroup> right_tile: array<vec4f, 256>;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = params.first_row + TILE * group.y;
  let column = params.first_column + TILE * group.x;
  // Elements below the diagonal are never read again.
  if (column + TILE <= row) {
    return;
  }
  let place = local.y * STEP + local.x;
  var products: array<vec4f, 4>;
  for (var step = 0u; step < TILE; step += STEP) {
    let line = (params.block + step + local.y) * params.stride;
    left_tile[place] = augmented[(line + row) / 4u + local.x];
    right_tile[place] = augmented[(line + column) / 4u + local.x];
    workgroupBarrier();
    for (var k = 0u; k < STEP; k++) {
      let left = left_tile[k * STEP + local.y];
      let right = right_tile[k * STEP + local.x];
      products[0] += left.x * right;
      products[1] += left.y * right;
      products[2] += left.z * right;
      products[3] += left.w * right;
    }
    workgroupBarrier();
  }
  // A tile of the block's rows is read only by the workgroup that writes it.
  storageBarrier();
  for (var r = 0u; r < 4u; r++) {
    let at = ((row + 4u * local.y + r) * params.stride + column) / 4u + local.x;
    if (params.finish != 0u) {
      augmented[at] = products[r];
    } else {
      augmented[at] -= products[r];
    }
  }
}
