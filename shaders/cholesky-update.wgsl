// Trailing update for large conditioning sets: subtracts from the columns to the right of a tile their products with
// the finished columns of the tile and of the rows below it (cholesky-panel.wgsl). A workgroup has SIDE x SIDE threads,
// a thread four rows and four columns: each value that it reads serves four products.
// Twin: src/scoring/cholesky.ts.

struct Params {
  // first target of this dispatch
  first_target: u32,
  // first column of the finished tile, and its number of columns
  first_column: u32,
  columns: u32,
  // first row of workgroups
  first_line: u32,
  zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read_write> factors: array<vec2f>;

const SIDE: u32 = 8u;

// Four entries of a row, from `column` on; those beyond the diagonal repeat the diagonal's.
fn four_of(start: u32, row: u32, column: u32) -> Four {
  let v0 = factors[start + column];
  let v1 = factors[start + min(column + 1u, row)];
  let v2 = factors[start + min(column + 2u, row)];
  let v3 = factors[start + min(column + 3u, row)];
  return Four(vec4f(v0.x, v1.x, v2.x, v3.x), vec4f(v0.y, v1.y, v2.y, v3.y));
}

fn keep(header: TargetHeader, row: u32, column: u32, value: Four) {
  if (row > header.size) {
    return;
  }
  let start = factor_index(header, row, 0u);
  for (var c = 0u; c < 4u && column + c <= row; c++) {
    factors[start + column + c] = vec2f(value.high[c], value.low[c]);
  }
}

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) thread: vec3u) {
  fence = params.zero;
  let header = target_header(params.first_target + group.z);
  let size = header.size;
  let first = params.first_column;
  let end = first + params.columns;
  let row = end + 4u * (SIDE * (params.first_line + group.y) + thread.y);
  let column = end + 4u * (SIDE * group.x + thread.x);
  // Rows and columns are split alike: a group of four columns begins on the diagonal, or below it in all four rows.
  if (end >= size || row > size || column > row) {
    return;
  }
  // Rows beyond the last repeat the last; their results are discarded.
  let row1 = min(row + 1u, size);
  let row2 = min(row + 2u, size);
  let row3 = min(row + 3u, size);
  let start0 = factor_index(header, row, 0u);
  let start1 = factor_index(header, row1, 0u);
  let start2 = factor_index(header, row2, 0u);
  let start3 = factor_index(header, row3, 0u);
  let other0 = factor_index(header, column, 0u);
  let other1 = factor_index(header, min(column + 1u, size), 0u);
  let other2 = factor_index(header, min(column + 2u, size), 0u);
  let other3 = factor_index(header, min(column + 3u, size), 0u);
  var rest0 = four_of(start0, row, column);
  var rest1 = four_of(start1, row1, column);
  var rest2 = four_of(start2, row2, column);
  var rest3 = four_of(start3, row3, column);
  for (var m = first; m < end; m++) {
    let v0 = factors[other0 + m];
    let v1 = factors[other1 + m];
    let v2 = factors[other2 + m];
    let v3 = factors[other3 + m];
    let others = Four(vec4f(v0.x, v1.x, v2.x, v3.x), vec4f(v0.y, v1.y, v2.y, v3.y));
    rest0 = four_subtract_product(rest0, factors[start0 + m], others);
    rest1 = four_subtract_product(rest1, factors[start1 + m], others);
    rest2 = four_subtract_product(rest2, factors[start2 + m], others);
    rest3 = four_subtract_product(rest3, factors[start3 + m], others);
  }
  keep(header, row, column, rest0);
  keep(header, row + 1u, column, rest1);
  keep(header, row + 2u, column, rest2);
  keep(header, row + 3u, column, rest3);
}
