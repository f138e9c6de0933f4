// One texel of the heatmap in 32 bits; host twin: cell.ts.

const edge_bit = 1u << 30;
const score_bit = 1u << 31;
const low_mask = 0x7fffu;
const high_mask = 0x3fff8000u;
const steps = 16383.0;

fn quantised(score: f32) -> u32 {
  return u32(floor(clamp(score, -1.0, 1.0) * steps + 0.5) + steps);
}

// Without a score where `low` is above `high`.
fn packed(low: f32, high: f32, edge: bool) -> u32 {
  let scores = select(0u, quantised(low) | (quantised(high) << 15) | score_bit, low <= high);
  return scores | select(0u, edge_bit, edge);
}

// The texel that covers both: least of the least, largest of the largest.
fn joined(a: u32, b: u32) -> u32 {
  if (a & score_bit) == 0 { return b | (a & edge_bit); }
  if (b & score_bit) == 0 { return a | (b & edge_bit); }
  return min(a & low_mask, b & low_mask) | max(a & high_mask, b & high_mask) | ((a | b) & edge_bit) | score_bit;
}
