// Forward substitution of the rows below a tile of finished columns (cholesky-workgroup.wgsl), for large conditioning
// sets; the last row is that of y. One thread per (target, row).
// Twin: src/scoring/cholesky.ts.

struct Params {
  // first target of this dispatch
  first_target: u32,
  // first column of the tile, and its number of columns
  first_column: u32,
  columns: u32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read_write> factors: array<vec2f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  fence = params.zero;
  let header = target_header(params.first_target + group.y);
  let first = params.first_column;
  let end = first + params.columns;
  let row = end + group.x * WORKGROUP + local;
  if (end >= header.size || row > header.size) {
    return;
  }
  let own = factor_index(header, row, 0u);
  for (var column = first; column < end; column++) {
    let other = factor_index(header, column, 0u);
    var rest = factors[own + column];
    for (var m = first; m < column; m++) {
      rest = ds_subtract_product(rest, factors[own + m], factors[other + m]);
    }
    factors[own + column] = ds_multiply(rest, factors[other + column]);
  }
}
