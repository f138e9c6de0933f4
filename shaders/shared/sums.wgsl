// Layout of a matrix of sums: rows of `stride` columns in groups of four, the high words of a group (a vec4f) before
// its low words. `stride` is a multiple of TILE. X^T Y is stored as Y^T X, one row per target, so that threads on
// neighbouring sources access neighbouring words. A matrix too large for one binding is cut into panels of whole tiles
// of rows (StatisticsLayout in src/engine/webgpu/statistics/layout.ts); rows count from the panel's first.

const TILE: u32 = 8u;

// Index of the high word of element (row, column); the low word is 4 further on.
fn sum_index(row: u32, column: u32, stride: u32) -> u32 {
  return 2u * (row * stride + (column & ~3u)) + (column & 3u);
}

// X^T X is symmetric and need not be filled below the diagonal: the position of an element or of its mirror image.
fn symmetric_place(row: u32, column: u32) -> vec2u {
  return select(vec2u(column, row), vec2u(row, column), row <= column);
}
