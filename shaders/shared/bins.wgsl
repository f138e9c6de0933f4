// Bins of scores (src/ranking/thresholds.ts): the bin of a score is the number of its class's thresholds that it reaches.
// Scores and thresholds are compared as integers, so that the host, with the same thresholds, counts identically.

const EXPONENT_BITS: u32 = 0x7f800000u;

// Bits of a number -> an integer that sorts like the number; both zeros map to one. `orderedBits` of
// src/engine/webgpu/scoring/gpu-score-scanner.ts.
fn ordered(bits: u32) -> u32 {
  if (bits == 0x80000000u) {
    return 0x80000000u;
  }
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

// Bin of a target's score; K + 1 for NaN. `thresholds` holds K ascending values per class.
fn bin_of(bits: u32, freedom_class: u32, count: u32) -> u32 {
  if ((bits & EXPONENT_BITS) == EXPONENT_BITS) {
    return count + 1u;
  }
  let value = ordered(bits);
  let base = freedom_class * count;
  var least = 0u;
  var most = count;
  while (least < most) {
    let middle = (least + most) / 2u;
    if (value >= thresholds[base + middle]) {
      least = middle + 1u;
    } else {
      most = middle;
    }
  }
  return least;
}
