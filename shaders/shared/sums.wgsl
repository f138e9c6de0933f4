// Where the sums of a matrix lie: rows of `stride` columns in groups of four, the high words of a group (a vec4f)
// before its low words. `stride` is a multiple of TILE.

const TILE: u32 = 8u;

// Index of the high word of element (row, column); the low word is 4 further on.
fn sum_index(row: u32, column: u32, stride: u32) -> u32 {
  return 2u * (row * stride + (column & ~3u)) + (column & 3u);
}

// Of the symmetric X^T X only tiles on and above the diagonal are kept.
fn symmetric_sum_index(row: u32, column: u32, stride: u32) -> u32 {
  if (row / TILE <= column / TILE) {
    return sum_index(row, column, stride);
  }
  return sum_index(column, row, stride);
}
