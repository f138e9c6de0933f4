// How threads share the sums of a layer pair. Each row of tiles has T tiles of Y^T X and, after them, T of X^T X, of
// which those below the diagonal are left out.
struct Block {
  // in tiles
  row: u32,
  column: u32,
  symmetric: bool,
  valid: bool,
}

fn block_at(index: u32, tiles: u32) -> Block {
  let row = index / (2u * tiles);
  let across = index % (2u * tiles);
  if (across < tiles) {
    return Block(row, across, false, row < tiles);
  }
  return Block(row, across - tiles, true, row < tiles && across - tiles >= row);
}
