// What the kernels of forward substitution share: R^-1 S_xx[S, i] for sources i, PANEL members at a time
// (method.md, "score = 'partial'"). A thread has four sources of a target, a quarter of the range of sources apart, so
// that neighbouring threads touch neighbouring words, and four members at a time: what is known of an earlier member
// is read once for four, an entry of the factor once for four sources. That is some 50 operations for each word read,
// so that nothing is gained by staging factors in a workgroup's memory first: all threads of a subgroup read the same
// entry of them, once. Eight members with two sources, which reads half as much, took a fifth longer on the software
// adapter, and more of either would leave small GPUs short of registers. Each entry goes through the same operations in
// the same order whatever is beside it.

struct Params {
  nodes: u32,
  stride: u32,
  panel_row: u32,
  outcome_offset: u32,
  inverse_count_high: f32,
  inverse_count_low: f32,
  first_target: u32,
  // first source of the range, and a quarter of how many it has
  first_source: u32,
  quarter: u32,
  // first of the quarter's sources that this dispatch has
  first_place: u32,
  // rows that a target's solutions have room for
  rows: u32,
  // of the panel of members
  first_member: u32,
  zero: u32,
}

// Members of a panel (src/engine/webgpu/scoring/partial-kernels.ts).
const PANEL: u32 = 32u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read> covariance_rows: array<vec2f>;
@group(0) @binding(3) var<storage, read> factors: array<vec2f>;
// [target of the dispatch, row, high and low, source of the range]: a row for each member, two for the remainders
@group(0) @binding(4) var<storage, read_write> solutions: array<f32>;

fn solution_index(slot: u32, row: u32, place: u32) -> u32 {
  return 8u * (slot * params.rows + row) * params.quarter + place;
}

fn solution(slot: u32, row: u32, place: u32) -> Four {
  let at = solution_index(slot, row, place);
  let step = params.quarter;
  return Four(
    vec4f(solutions[at], solutions[at + step], solutions[at + 2u * step], solutions[at + 3u * step]),
    vec4f(
      solutions[at + 4u * step],
      solutions[at + 5u * step],
      solutions[at + 6u * step],
      solutions[at + 7u * step],
    ),
  );
}

fn set_solution(slot: u32, row: u32, place: u32, value: Four) {
  let at = solution_index(slot, row, place);
  let step = params.quarter;
  solutions[at] = value.high.x;
  solutions[at + step] = value.high.y;
  solutions[at + 2u * step] = value.high.z;
  solutions[at + 3u * step] = value.high.w;
  solutions[at + 4u * step] = value.low.x;
  solutions[at + 5u * step] = value.low.y;
  solutions[at + 6u * step] = value.low.z;
  solutions[at + 7u * step] = value.low.w;
}

fn sources_of(place: u32) -> vec4u {
  return params.first_source + place + params.quarter * vec4u(0u, 1u, 2u, 3u);
}

// S_xx of a member with four sources.
fn covariances_of(header: TargetHeader, member: u32, sources: vec4u) -> Four {
  let at = member_row(header, member) * params.stride + min(sources, vec4u(params.nodes - 1u));
  return four(covariance_rows[at.x], covariance_rows[at.y], covariance_rows[at.z], covariance_rows[at.w]);
}

// What some members leave of four others' entries.
struct Rests {
  of0: Four,
  of1: Four,
  of2: Four,
  of3: Four,
}

// Takes the products with members from `begin` up to `end` off the entries of `member` and the next three.
fn eliminate(
  header: TargetHeader,
  slot: u32,
  place: u32,
  rests: Rests,
  member: u32,
  begin: u32,
  end: u32,
) -> Rests {
  // Those beyond the last are computed and not used.
  let row0 = factor_index(header, member, 0u);
  let row1 = factor_index(header, min(member + 1u, header.size), 0u);
  let row2 = factor_index(header, min(member + 2u, header.size), 0u);
  let row3 = factor_index(header, min(member + 3u, header.size), 0u);
  var of0 = rests.of0;
  var of1 = rests.of1;
  var of2 = rests.of2;
  var of3 = rests.of3;
  for (var earlier = begin; earlier < end; earlier++) {
    let known = solution(slot, earlier, place);
    of0 = four_subtract_product(of0, factors[row0 + earlier], known);
    of1 = four_subtract_product(of1, factors[row1 + earlier], known);
    of2 = four_subtract_product(of2, factors[row2 + earlier], known);
    of3 = four_subtract_product(of3, factors[row3 + earlier], known);
  }
  return Rests(of0, of1, of2, of3);
}
