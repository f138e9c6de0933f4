// A'B of two row-major matrices: the Gram matrix of channel values, the inverse of a system from the inverse of its
// factor, and products with that inverse up to the ridge coefficients (method.md, "score = 'channel'"). Products are
// accumulated in float32 over CHUNK rows, and chunks in extended precision. Twin: src/scoring/channel/gram.ts and
// products.ts. One workgroup of 16 x 16 threads per tile of 64 x 64 sums, 4 x 4 per thread.

struct Params {
  // rows of A and of B
  depth: u32,
  // columns of A (rows of the sums), and columns of B
  rows: u32,
  columns: u32,
  // offset of each matrix within a row, and distance between rows
  a_first: u32,
  a_stride: u32,
  b_first: u32,
  b_stride: u32,
  out_stride: u32,
  // first row of tiles of this dispatch
  first_line: u32,
  // 1: the sums are symmetric; those below the diagonal are copied
  symmetric: u32,
  // 1: A and B are lower triangular
  lower: u32,
  // 1: the buffers hold the transposes of A and B, so that the product is AB' of what they hold
  transposed: u32,
  // 1: A, which is symmetric, is added: A (I + B)
  plus_a: u32,
  // 2: sums as high and low word; 1: rounded to one word
  words: u32,
  zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

const TILE: u32 = 64u;
const STEP: u32 = 16u;
// multiple of STEP; 32 rows leave a third of the error of 256
const CHUNK: u32 = 32u;

var<workgroup> a_tile: array<vec4f, 256>;
var<workgroup> b_tile: array<vec4f, 256>;

fn place_in(first: u32, stride: u32, row: u32, column: u32) -> u32 {
  return first + select(row * stride + column, column * stride + row, params.transposed != 0u);
}

fn a_at(row: u32, column: u32) -> f32 {
  if (row >= params.depth || column >= params.rows) {
    return 0.0;
  }
  return a[place_in(params.a_first, params.a_stride, row, column)];
}

fn b_at(row: u32, column: u32) -> f32 {
  if (row >= params.depth || column >= params.columns) {
    return 0.0;
  }
  return b[place_in(params.b_first, params.b_stride, row, column)];
}

fn keep(row: u32, column: u32, sum: vec2f) {
  let at = params.words * (row * params.out_stride + column);
  sums[at] = sum.x;
  if (params.words == 2u) {
    sums[at + 1u] = sum.y;
  }
}

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  fence = params.zero;
  let first = vec2u(params.first_line + group.y, group.x) * TILE;
  if (params.symmetric != 0u && first.y < first.x) {
    return;
  }
  var high: array<vec4f, 4>;
  var low: array<vec4f, 4>;
  var chunk: array<vec4f, 4>;
  // Neighbouring threads read neighbouring words.
  let line = select(local.y, local.x, params.transposed != 0u);
  let quarter = select(local.x, local.y, params.transposed != 0u);
  let place = line * STEP + quarter;
  let start = select(0u, max(first.x, first.y), params.lower != 0u);
  for (var row = start; row < params.depth; row += STEP) {
    let tile_row = row + line;
    let column_a = first.x + quarter * 4u;
    let column_b = first.y + quarter * 4u;
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
        var sum = vec2f(high[r][c], low[r][c]);
        if (params.plus_a != 0u) {
          sum = ds_add(sum, vec2f(a[params.a_first + i * params.a_stride + j], 0.0));
        }
        keep(i, j, sum);
        if (params.symmetric != 0u && first.y > first.x) {
          keep(j, i, sum);
        }
      }
    }
  }
}
