// The largest deviation of each column in this and earlier ranges of stored rows; shows whether sums with the current
// pivots and scales stay within f32. One thread per column of the layer pairs that share a chunk buffer; z is the
// plane. No CPU twin: float64 holds squares of any deviation. Tested against the largest of the rows.

struct Params {
  rows: u32,
  first_row: u32,
  first_batch: u32,
  end_batch: u32,
  stride: u32,
  // rows per quantity in a chunk
  chunk_rows: u32,
  // quantity of the first plane
  quantity: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> refusal: Refusal;
// [quantity, column]: pivot, scale
@group(0) @binding(2) var<storage, read> pivots: array<vec2f>;
// of the same layer pairs: [plane, row, column]
@group(0) @binding(3) var<storage, read> chunk: array<f32>;
// [quantity, column]
@group(0) @binding(4) var<storage, read_write> largest: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.stride) {
    return;
  }
  let rows = valid_rows(refusal, params.first_batch, params.end_batch, params.first_row, params.rows);
  let column = (params.quantity + id.z) * params.stride + id.x;
  let read_at = (id.z * params.chunk_rows + params.first_row) * params.stride + id.x;
  let pivot = pivots[column].x;
  var found = largest[column];
  for (var row = 0u; row < rows; row++) {
    found = max(found, abs(chunk[read_at + row * params.stride] - pivot));
  }
  largest[column] = found;
}
