// A'B of two row-major matrices: the Gram matrix of channel values, the product of an inverse with them, and blocks of
// ridge coefficients (method.md, "score = 'channel'"). Products are added up in float32 over CHUNK rows, and chunks in
// extended precision. Twin: src/scoring/channel/gram.ts and block-norms.ts. One workgroup of 16 x 16 threads per tile of
// 64 x 64 sums, 4 x 4 for each thread.

struct Params {
  // rows of A and of B
  depth: u32,
  // columns of A, which are rows of the sums, and of B; and from one row to the next
  rows: u32,
  columns: u32,
  a_stride: u32,
  b_stride: u32,
  out_stride: u32,
  // 1: sums on and above the diagonal alone
  upper: u32,
  zero: u32,
}

// 2: sums as high and low word; 1: rounded to one
override WORDS: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

const TILE: u32 = 64u;
const STEP: u32 = 16u;
// whole steps
const CHUNK: u32 = 256u;

var<workgroup> a_tile: array<vec4f, 256>;
var<workgroup> b_tile: array<vec4f, 256>;

fn a_at(row: u32, column: u32) -> f32 {
  return select(0.0, a[min(row, params.depth - 1u) * params.a_stride + min(column, params.rows - 1u)],
    row < params.depth && column < params.rows);
}

fn b_at(row: u32, column: u32) -> f32 {
  return select(0.0, b[min(row, params.depth - 1u) * params.b_stride + min(column, params.columns - 1u)],
    row < params.depth && column < params.columns);
}

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  fence = params.zero;
  let first = vec2u(group.y, group.x) * TILE;
  if (params.upper != 0u && first.y + TILE <= first.x) {
    return;
  }
  var high: array<vec4f, 4>;
  var low: array<vec4f, 4>;
  var chunk: array<vec4f, 4>;
  let place = local.y * STEP + local.x;
  for (var row = 0u; row < params.depth; row += STEP) {
    let tile_row = row + local.y;
    let column_a = first.x + local.x * 4u;
    let column_b = first.y + local.x * 4u;
    a_tile[place] = vec4f(a_at(tile_row, column_a), a_at(tile_row, column_a + 1u), a_at(tile_row, column_a + 2u), a_at(tile_row, column_a + 3u));
    b_tile[place] = vec4f(b_at(tile_row, column_b), b_at(tile_row, column_b + 1u), b_at(tile_row, column_b + 2u), b_at(tile_row, column_b + 3u));
    workgroupBarrier();
    for (var k = 0u; k < STEP; k++) {
      let left = a_tile[k * STEP + local.y];
      let right = b_tile[k * STEP + local.x];
      chunk[0] += left.x * right;
      chunk[1] += left.y * right;
      chunk[2] += left.z * right;
      chunk[3] += left.w * right;
    }
    workgroupBarrier();
    if ((row + STEP) % CHUNK == 0u || row + STEP >= params.depth) {
      for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 4u; c++) {
          let sum = ds_add(vec2f(high[r][c], low[r][c]), vec2f(chunk[r][c], 0.0));
          high[r][c] = sum.x;
          low[r][c] = sum.y;
        }
        chunk[r] = vec4f(0.0);
      }
    }
  }
  for (var r = 0u; r < 4u; r++) {
    let i = first.x + local.y * 4u + r;
    for (var c = 0u; c < 4u; c++) {
      let j = first.y + local.x * 4u + c;
      if (i < params.rows && j < params.columns) {
        let at = WORDS * (i * params.out_stride + j);
        sums[at] = high[r][c];
        if (WORDS == 2u) {
          sums[at + 1u] = low[r][c];
        }
      }
    }
  }
}
