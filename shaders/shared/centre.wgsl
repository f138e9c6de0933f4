// Shared by both centring kernels: reads a range of stored rows, writes centred values for the products of some layer
// pairs. One thread per column; z is the plane. The first time a range is centred, its deviations and their squares are
// added to the column sums.

struct Params {
  // rows of the range, and its first row in the chunk
  rows: u32,
  first_row: u32,
  first_batch: u32,
  end_batch: u32,
  stride: u32,
  // row capacity of a chunk, and of a plane of values
  chunk_rows: u32,
  // quantity of the first plane
  quantity: u32,
  // 1: add to the column sums
  count: u32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> refusal: Refusal;
// [quantity, column]: pivot, scale
@group(0) @binding(2) var<storage, read> pivots: array<vec2f>;
// for the same layer pairs: [plane, row, column]
@group(0) @binding(3) var<storage, read> chunk: array<f32>;
// [plane, row, column]
@group(0) @binding(4) var<storage, read_write> values: array<u32>;
// [plane, column]
@group(0) @binding(5) var<storage, read_write> exponents: array<i32>;
// [quantity, column]: sum (high, low), sum of squares (high, low)
@group(0) @binding(6) var<storage, read_write> column_sums: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.stride) {
    return;
  }
  fence = params.zero;
  let rows = valid_rows(refusal, params.first_batch, params.end_batch, params.first_row, params.rows);
  let column = (params.quantity + id.z) * params.stride + id.x;
  let read_at = (id.z * params.chunk_rows + params.first_row) * params.stride + id.x;
  let write_at = id.z * params.chunk_rows * params.stride + id.x;
  let added = centre(id.z * params.stride + id.x, rows, read_at, write_at, pivots[column]);
  if (params.count == 1u) {
    let held = column_sums[column];
    column_sums[column] = vec4f(ds_add(held.xy, added.xy), ds_add(held.zw, added.zw));
  }
}
