// Shared by the product kernels: sums += L^T R over rows of centred values, for all layer pairs whose sums share a
// buffer (z is the pair). A kernel combines a loop over tiles (products-direct.wgsl, products-shared.wgsl) with an
// arithmetic (multiply-*.wgsl).

struct Params {
  // rows of values, their first row in the chunk, and the batches that they belong to
  rows: u32,
  first_row: u32,
  first_batch: u32,
  end_batch: u32,
  // row capacity of a plane of values
  plane_rows: u32,
  // plane of the first pair's values, and columns per row: for L, and for R and the sums
  left_plane: u32,
  left_stride: u32,
  right_plane: u32,
  stride: u32,
  // columns of L that the sums cover
  first_line: u32,
  end_line: u32,
  // tile of this dispatch's first thread or workgroup, and one past the last one's
  first_tile: u32,
  end_tile: u32,
  shape: u32,
  zero: u32,
}

// Values of `shape`, the tiles to form. 0: all; TRIANGLE, for L = R: those on or above the diagonal; DIAGONAL_TILES:
// only those on the diagonal, in which case a row of sums holds one tile's columns.
const TRIANGLE: u32 = 1u;
const DIAGONAL_TILES: u32 = 2u;

@group(0) @binding(0) var<uniform> params: Params;
// [plane, row, column], four columns an element; planes of a pair are x and y
@group(0) @binding(1) var<storage, read> left_values: array<vec4u>;
@group(0) @binding(2) var<storage, read> right_values: array<vec4u>;
// [plane, column]
@group(0) @binding(3) var<storage, read> left_exponents: array<vec4i>;
@group(0) @binding(4) var<storage, read> right_exponents: array<vec4i>;
@group(0) @binding(5) var<storage, read> refusal: Refusal;
@group(0) @binding(6) var<storage, read_write> sums: array<vec4f>;

struct Tile {
  // first column of L, and of R
  row: u32,
  column: u32,
  valid: bool,
}

fn tile_at(index: u32, span: u32) -> Tile {
  var row = params.first_line + index * span;
  var column = row;
  if (params.shape != DIAGONAL_TILES) {
    let across = (params.stride + span - 1u) / span;
    row = params.first_line + (index / across) * span;
    column = (index % across) * span;
  }
  let below = params.shape == TRIANGLE && column + span <= row;
  return Tile(row, column, index < params.end_tile && row < params.end_line && !below);
}

fn counted_rows() -> u32 {
  return valid_rows(refusal, params.first_batch, params.end_batch, params.first_row, params.rows);
}

// Index of a pair's row 0.
fn first_left(pair: u32) -> u32 {
  return (params.left_plane + 2u * pair) * params.plane_rows * (params.left_stride / 4u);
}

fn first_right(pair: u32) -> u32 {
  return (params.right_plane + 2u * pair) * params.plane_rows * (params.stride / 4u);
}

fn left_exponent(pair: u32, row: u32) -> vec4i {
  return left_exponents[((params.left_plane + 2u * pair) * params.left_stride + row) / 4u];
}

fn right_exponent(pair: u32, column: u32) -> vec4i {
  return right_exponents[((params.right_plane + 2u * pair) * params.stride + column) / 4u];
}

fn powers_of_two(exponents: vec4i) -> vec4f {
  return bitcast<vec4f>((exponents + 127) << vec4u(23u));
}

// Four columns of one row of sums, or their increments.
struct Sums {
  high: vec4f,
  low: vec4f,
}

fn add_row(at: u32, added: Sums) {
  var high = sums[at];
  var low = sums[at + 1u];
  for (var c = 0u; c < 4u; c++) {
    let sum = ds_add(vec2f(high[c], low[c]), vec2f(added.high[c], added.low[c]));
    high[c] = sum.x;
    low[c] = sum.y;
  }
  sums[at] = high;
  sums[at + 1u] = low;
}

// The products of four columns of L with four of R.
struct Block {
  row0: Row,
  row1: Row,
  row2: Row,
  row3: Row,
}

fn multiply(block: ptr<function, Block>, left: Operand, right: Operand) {
  (*block).row0 = multiply_row((*block).row0, column(left, 0u), right);
  (*block).row1 = multiply_row((*block).row1, column(left, 1u), right);
  (*block).row2 = multiply_row((*block).row2, column(left, 2u), right);
  (*block).row3 = multiply_row((*block).row3, column(left, 3u), right);
}

fn flush(block: ptr<function, Block>) {
  (*block).row0 = flush_row((*block).row0);
  (*block).row1 = flush_row((*block).row1);
  (*block).row2 = flush_row((*block).row2);
  (*block).row3 = flush_row((*block).row3);
}

// Adds a block to the sums at `row` and `column`, within a tile that begins at `first_column`.
fn add_block(block: ptr<function, Block>, pair: u32, row: u32, column: u32, first_column: u32, span: u32) {
  if (row >= params.end_line || column >= params.stride) {
    return;
  }
  var across = params.stride;
  var place = column;
  if (params.shape == DIAGONAL_TILES) {
    across = span;
    place = column - first_column;
  }
  let lines = params.end_line - params.first_line;
  let at = ((pair * lines + row - params.first_line) * across + place) / 2u;
  let step = across / 2u;
  let up = powers_of_two(left_exponent(pair, row) + UNIT);
  let to = powers_of_two(right_exponent(pair, column) + UNIT);
  add_row(at, total((*block).row0, up.x, to));
  add_row(at + step, total((*block).row1, up.y, to));
  add_row(at + 2u * step, total((*block).row2, up.z, to));
  add_row(at + 3u * step, total((*block).row3, up.w, to));
}
