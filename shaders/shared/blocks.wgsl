// How threads share the sums of a layer pair: T^2 tiles of X^T Y, then the tiles on and above the diagonal of X^T X.
struct Block {
  // in tiles
  row: u32,
  column: u32,
  symmetric: bool,
  valid: bool,
}

// Rows q and T - 1 - q of the triangle have T + 1 tiles together, so it folds into a rectangle; where T is odd the
// middle row would come twice. Threads past the last tile get a block that is not valid.
fn block_at(index: u32, tiles: u32) -> Block {
  let square = tiles * tiles;
  if (index < square) {
    return Block(index / tiles, index % tiles, false, true);
  }
  let folded = index - square;
  let upper = folded / (tiles + 1u);
  let at = folded % (tiles + 1u);
  if (at < tiles - upper) {
    return Block(upper, upper + at, true, 2u * upper < tiles);
  }
  let lower = tiles - 1u - upper;
  return Block(lower, lower + (at - (tiles - upper)), true, 2u * upper + 1u < tiles);
}
