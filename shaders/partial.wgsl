// Partial correlations of one layer pair for a block of targets of one panel: forward substitution of the sources
// through a panel of each target's members (shaders/shared/solutions.wgsl), from which partial-update.wgsl has
// eliminated earlier members, and after the last panel the scores. Twin: src/scoring/substitution.ts. One thread per
// four sources of a target.

override WORKGROUP: u32;

@group(0) @binding(5) var<storage, read> moments: array<Moment>;
@group(0) @binding(6) var<storage, read> sum_xy: array<f32>;
@group(0) @binding(7) var<storage, read_write> outcome: array<atomic<u32>>;
// bits, row-major [target of the panel, source]
@group(0) @binding(8) var<storage, read_write> scores: array<u32>;

// Settled remainders have a relative error of some 2^-22.
const NEAR_FLOOR: f32 = 1e-6;

// Residual variances of four sources, and residual covariances with y.
struct Remainders {
  x: Four,
  joint: Four,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  fence = params.zero;
  let slot = group.z;
  let header = target_header(params.first_target + slot);
  let size = header.size;
  let place = params.first_place + group.x * WORKGROUP + local;
  let first = params.first_member;
  // Sets smaller than the dispatch's largest already have their scores.
  if (place >= params.quarter || (first > 0u && first >= size)) {
    return;
  }
  let sources = sources_of(place);
  let end = min(first + PANEL, size);
  var left = remainders_before(header, slot, place, sources);
  for (var member = first; member < end; member += 4u) {
    left = solve_four(header, slot, place, sources, member, left);
  }
  if (end < size) {
    set_solution(slot, params.rows - 2u, place, left.x);
    set_solution(slot, params.rows - 1u, place, left.joint);
  } else {
    keep_scores(header, sources, left);
  }
}

fn remainders_before(header: TargetHeader, slot: u32, place: u32, sources: vec4u) -> Remainders {
  if (params.first_member > 0u) {
    return Remainders(
      solution(slot, params.rows - 2u, place),
      solution(slot, params.rows - 1u, place),
    );
  }
  let at = min(sources, vec4u(params.nodes - 1u));
  return Remainders(
    four(
      moments[at.x].variance,
      moments[at.y].variance,
      moments[at.z].variance,
      moments[at.w].variance,
    ),
    four(
      covariance_with(header, at.x),
      covariance_with(header, at.y),
      covariance_with(header, at.z),
      covariance_with(header, at.w),
    ),
  );
}

fn covariance_with(header: TargetHeader, source: u32) -> vec2f {
  let at = sum_index(header.node - params.panel_row, source, params.stride);
  let inverse_count = vec2f(params.inverse_count_high, params.inverse_count_low);
  let y = moments[params.stride + header.node];
  return covariance(vec2f(sum_xy[at], sum_xy[at + 4u]), inverse_count, moments[source], y);
}

// The entry of a member of the panel before elimination of the panel's own members.
fn entry_before(header: TargetHeader, slot: u32, place: u32, sources: vec4u, member: u32) -> Four {
  if (params.first_member > 0u) {
    return solution(slot, member, place);
  }
  return covariances_of(header, member, sources);
}

fn solve_four(
  header: TargetHeader,
  slot: u32,
  place: u32,
  sources: vec4u,
  member: u32,
  before: Remainders,
) -> Remainders {
  let size = header.size;
  let last = size - 1u;
  let entries = Rests(
    entry_before(header, slot, place, sources, member),
    entry_before(header, slot, place, sources, min(member + 1u, last)),
    entry_before(header, slot, place, sources, min(member + 2u, last)),
    entry_before(header, slot, place, sources, min(member + 3u, last)),
  );
  let rests = eliminate(header, slot, place, entries, member, params.first_member, member);
  var left = before;
  let solved0 = four_multiply(factors[factor_index(header, member, member)], rests.of0);
  left = take_away(header, member, solved0, left);
  if (member + 1u >= size) {
    return left;
  }
  let row1 = factor_index(header, member + 1u, member);
  let rest1 = four_subtract_product(rests.of1, factors[row1], solved0);
  let solved1 = four_multiply(factors[row1 + 1u], rest1);
  left = take_away(header, member + 1u, solved1, left);
  if (member + 2u >= size) {
    return left;
  }
  let row2 = factor_index(header, member + 2u, member);
  var rest2 = four_subtract_product(rests.of2, factors[row2], solved0);
  rest2 = four_subtract_product(rest2, factors[row2 + 1u], solved1);
  let solved2 = four_multiply(factors[row2 + 2u], rest2);
  left = take_away(header, member + 2u, solved2, left);
  if (member + 3u >= size) {
    return left;
  }
  let row3 = factor_index(header, member + 3u, member);
  var rest3 = four_subtract_product(rests.of3, factors[row3], solved0);
  rest3 = four_subtract_product(rest3, factors[row3 + 1u], solved1);
  rest3 = four_subtract_product(rest3, factors[row3 + 2u], solved2);
  let solved3 = four_multiply(factors[row3 + 3u], rest3);
  // Nothing reads the solutions of the last four.
  if (member + 4u < size) {
    set_solution(slot, member, place, solved0);
    set_solution(slot, member + 1u, place, solved1);
    set_solution(slot, member + 2u, place, solved2);
    set_solution(slot, member + 3u, place, solved3);
  }
  return take_away(header, member + 3u, solved3, left);
}

// The remainders after elimination of a solved member.
fn take_away(header: TargetHeader, member: u32, solved: Four, left: Remainders) -> Remainders {
  let of_y = factors[factor_index(header, header.size, member)];
  return Remainders(
    four_subtract(left.x, four_square(solved)),
    four_subtract_product(left.joint, of_y, solved),
  );
}

// Whether 48 bits suffice to tell a remainder from the method's limit.
fn is_settled(rest: f32, whole: Moment) -> bool {
  return rest > UNSETTLED_RATIO * whole.variance.x && abs(rest - whole.least) > NEAR_FLOOR * whole.least;
}

fn keep_scores(header: TargetHeader, sources: vec4u, left: Remainders) {
  let size = header.size;
  let y = moments[params.stride + header.node];
  // Variance of y_j given the set.
  let y_rest = factors[factor_index(header, size, size)];
  let no_column = is_constant(y);
  if (sources.x == 0u && !no_column && !is_settled(y_rest.x, y)) {
    atomicOr(&outcome[params.outcome_offset + header.node], NEEDS_FLOAT64);
  }
  var conditioned = vec4<bool>(false);
  for (var member = 0u; member < size; member++) {
    conditioned |= sources == vec4u(member_source(header, member));
  }
  if (size > 0u) {
    conditioned |= sources == vec4u(header.node);
  }
  for (var q = 0u; q < 4u; q++) {
    let source = sources[q];
    if (source >= params.nodes) {
      continue;
    }
    let x = moments[source];
    let x_rest = vec2f(left.x.high[q], left.x.low[q]);
    var bits = NO_SCORE;
    if (!(no_column || conditioned[q] || is_constant(x))) {
      if (!is_settled(x_rest.x, x)) {
        atomicOr(&outcome[params.outcome_offset + header.node], NEEDS_FLOAT64);
      } else if (y_rest.x > y.least && x_rest.x > x.least) {
        let joint = vec2f(left.joint.high[q], left.joint.low[q]);
        bits = score_bits(joint, ds_sqrt(ds_multiply(x_rest, y_rest)));
      }
    }
    scores[(header.node - params.panel_row) * params.nodes + source] = bits;
  }
}
