// I - (S/n + lambda I) X, for sums S in extended precision and a symmetric approximate inverse X: computed in extended
// precision, since nearly all of it cancels, then rounded to float32. Twin: src/scoring/channel/ridge-inverse.ts, whose
// inverse leaves no residual. One workgroup of 16 x 16 threads per tile of 64 x 64, 4 x 4 elements per thread.

struct Params {
  size: u32,
  // first row of tiles of this dispatch
  first_line: u32,
  lambda_high: f32,
  lambda_low: f32,
  inverse_count_high: f32,
  inverse_count_low: f32,
  zero: u32,
}

const TILE: u32 = 64u;
const STEP: u32 = 16u;

@group(0) @binding(0) var<uniform> params: Params;
// [size, size], high and low words
@group(0) @binding(1) var<storage, read> sums: array<vec2f>;
@group(0) @binding(2) var<storage, read> inverse: array<f32>;
@group(0) @binding(3) var<storage, read_write> residual: array<f32>;

var<workgroup> left_tile: array<vec2f, STEP * TILE>;
var<workgroup> right_tile: array<f32, STEP * TILE>;

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  fence = params.zero;
  let size = params.size;
  let first = vec2u(params.first_line + group.y, group.x) * TILE;
  var rest: array<Four, 4>;
  for (var row = 0u; row < size; row += STEP) {
    for (var place = index; place < STEP * TILE; place += 256u) {
      let line = row + place / TILE;
      let columns = first + place % TILE;
      left_tile[place] = vec2f(0.0);
      right_tile[place] = 0.0;
      if (line < size && columns.x < size) {
        left_tile[place] = sums[line * size + columns.x];
      }
      if (line < size && columns.y < size) {
        right_tile[place] = inverse[line * size + columns.y];
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < STEP; k++) {
      let at = k * TILE + 4u * local.x;
      let right = Four(
        vec4f(right_tile[at], right_tile[at + 1u], right_tile[at + 2u], right_tile[at + 3u]),
        vec4f(0.0),
      );
      for (var r = 0u; r < 4u; r++) {
        rest[r] = four_subtract_product(rest[r], left_tile[k * TILE + 4u * local.y + r], right);
      }
    }
    workgroupBarrier();
  }
  let lambda = vec2f(params.lambda_high, params.lambda_low);
  let inverse_count = vec2f(params.inverse_count_high, params.inverse_count_low);
  for (var r = 0u; r < 4u; r++) {
    let i = first.x + 4u * local.y + r;
    for (var c = 0u; c < 4u; c++) {
      let j = first.y + 4u * local.x + c;
      if (i < size && j < size) {
        let products = ds_multiply(vec2f(rest[r].high[c], rest[r].low[c]), inverse_count);
        let ridge = ds_multiply(vec2f(inverse[i * size + j], 0.0), lambda);
        let one = vec2f(select(0.0, 1.0, i == j), 0.0);
        residual[i * size + j] = ds_subtract(ds_add(one, products), ridge).x;
      }
    }
  }
}
