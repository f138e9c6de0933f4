// Shared by the kernels of forward substitution: R^-1 S_xx[S, i] for sources i, PANEL members at a time
// (method.md, "score = 'partial'"). A thread handles four sources of a target, a quarter of the range of sources apart
// so that neighbouring threads access neighbouring words, and four members at a time: the solution of an earlier member
// is read once for four members, an entry of the factor once for four sources. That is some 50 operations per word
// read, so staging factors in workgroup memory gains nothing: all threads of a subgroup read the same entry, once.
// Eight members with two sources, which reads half as much, took a fifth longer on the software adapter, and more of
// either would exhaust the registers of small GPUs. Each entry goes through the same operations in the same order,
// independent of the other entries of the block.

struct Params {
  nodes: u32,
  stride: u32,
  panel_row: u32,
  outcome_offset: u32,
  inverse_count_high: f32,
  inverse_count_low: f32,
  first_target: u32,
  // first source of the range, and a quarter of its length
  first_source: u32,
  quarter: u32,
  // first source of the quarter in this dispatch
  first_place: u32,
  // row capacity of a target's solutions
  rows: u32,
  // first of the panel
  first_member: u32,
  zero: u32,
}

// Members per panel (src/engine/webgpu/scoring/partial-kernels.ts).
const PANEL: u32 = 32u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read> covariance_rows: array<vec2f>;
@group(0) @binding(3) var<storage, read> factors: array<vec2f>;
// [target of the dispatch, row, high and low, source of the range]: one row per member, two for the remainders
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

// Entries of four members after elimination of earlier ones.
struct Rests {
  of0: Four,
  of1: Four,
  of2: Four,
  of3: Four,
}

// Subtracts the products with members `begin` up to `end` from the entries of `member` and the next three.
fn eliminate(
  header: TargetHeader,
  slot: u32,
  place: u32,
  rests: Rests,
  member: u32,
  begin: u32,
  end: u32,
) -> Rests {
  // Results beyond the last member are not used.
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
