// A block of targets as packed by the host (packTargets in src/engine/webgpu/scoring/target-blocks.ts): one header per
// target, then for each member of each conditioning set its source and its row among the covariance rows.
struct TargetHeader {
  node: u32,
  // first word of its members in the plan
  members: u32,
  // |S_j|
  size: u32,
  // first element of its factor
  factor: u32,
}

fn target_header(index: u32) -> TargetHeader {
  let at = 4u * index;
  return TargetHeader(plan[at], plan[at + 1u], plan[at + 2u], plan[at + 3u]);
}

fn member_source(header: TargetHeader, member: u32) -> u32 {
  return plan[header.members + 2u * member];
}

fn member_row(header: TargetHeader, member: u32) -> u32 {
  return plan[header.members + 2u * member + 1u];
}

// Index of a member among the members of all targets of the block.
fn member_index(header: TargetHeader, member: u32, targets: u32) -> u32 {
  return (header.members - 4u * targets) / 2u + member;
}

// The factor is a packed lower triangle of size + 1 rows: R with its diagonal inverted, and a last row that holds
// R^-1 S_xy[S, j] and, at the end, the variance of y_j given S.
fn packed_index(row: u32, column: u32) -> u32 {
  return row * (row + 1u) / 2u + column;
}

fn factor_index(header: TargetHeader, row: u32, column: u32) -> u32 {
  return header.factor + packed_index(row, column);
}

// In a target's word of `outcome`: a remainder is so small relative to the original value that 48 bits do not suffice,
// and the host recomputes the target in float64.
const NEEDS_FLOAT64: u32 = 1u;
const UNSETTLED_RATIO: f32 = 5.9604644775390625e-8;
