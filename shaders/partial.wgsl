// Partial correlations of one layer pair for a block of targets of one panel: forward substitution of all sources
// through the target's factor (method.md, "score = 'partial'"). Twin: src/scores/partial-column.ts. One thread per
// (target, source). Members are solved for ROWS at a time: what is known of the earlier ones is read once for all of them,
// and each entry still goes through the same operations in the same order.

struct Params {
  nodes: u32,
  stride: u32,
  panel_row: u32,
  outcome_offset: u32,
  inverse_count_high: f32,
  inverse_count_low: f32,
  // first target of this dispatch, and one past its last
  first_target: u32,
  end_target: u32,
  // size of the largest conditioning set of the dispatch
  largest_set: u32,
  zero: u32,
}

override WORKGROUP: u32;

const ROWS: u32 = 4u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read> moments: array<Moment>;
@group(0) @binding(3) var<storage, read> covariance_rows: array<vec2f>;
@group(0) @binding(4) var<storage, read> sum_xy: array<f32>;
@group(0) @binding(5) var<storage, read> factors: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> outcome: array<atomic<u32>>;
// bits, row-major [target of the panel, source]
@group(0) @binding(7) var<storage, read_write> scores: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  fence = params.zero;
  let source = group.x * WORKGROUP + local;
  let index = params.first_target + group.y;
  if (source >= params.nodes || index >= params.end_target) {
    return;
  }
  let header = target_header(index);
  let size = header.size;
  let row = header.node - params.panel_row;
  let to = row * params.nodes + source;
  let x = moments[source];
  let y = moments[params.stride + header.node];
  // The variance of y_j given the set.
  let y_rest = factors[factor_index(header, size, size)];
  if (source == 0u && !is_constant(y) && !(y_rest.x > UNSETTLED_RATIO * y.variance.x)) {
    atomicOr(&outcome[params.outcome_offset + header.node], UNSETTLED);
  }
  if (is_constant(x) || is_constant(y) || (size > 0u && source == header.node)) {
    scores[to] = NO_SCORE;
    return;
  }
  let at = sum_index(row, source, params.stride);
  let inverse_count = vec2f(params.inverse_count_high, params.inverse_count_low);
  begin_solution(group.y, source);
  var joint = covariance(vec2f(sum_xy[at], sum_xy[at + 4u]), inverse_count, x, y);
  var x_rest = x.variance;
  var conditioned = false;
  for (var first = 0u; first < size; first += ROWS) {
    let rows = min(ROWS, size - first);
    var value: array<vec2f, ROWS>;
    for (var r = 0u; r < rows; r++) {
      conditioned |= member_source(header, first + r) == source;
      value[r] = covariance_rows[member_row(header, first + r) * params.stride + source];
    }
    // Rows beyond the last are computed and not used. Named, so that compilers keep them in registers.
    let row0 = factor_index(header, first, 0u);
    let row1 = factor_index(header, min(first + 1u, size), 0u);
    let row2 = factor_index(header, min(first + 2u, size), 0u);
    let row3 = factor_index(header, min(first + 3u, size), 0u);
    var value0 = value[0];
    var value1 = value[1];
    var value2 = value[2];
    var value3 = value[3];
    for (var b = 0u; b < first; b++) {
      let known = solved(b);
      value0 = ext_subtract_product(value0, factors[row0 + b], known);
      value1 = ext_subtract_product(value1, factors[row1 + b], known);
      value2 = ext_subtract_product(value2, factors[row2 + b], known);
      value3 = ext_subtract_product(value3, factors[row3 + b], known);
    }
    value = array(value0, value1, value2, value3);
    for (var r = 0u; r < rows; r++) {
      let a = first + r;
      var solution_of_a = value[r];
      for (var s = 0u; s < r; s++) {
        solution_of_a = ext_subtract_product(solution_of_a, factors[factor_index(header, a, first + s)], value[s]);
      }
      solution_of_a = ext_multiply(solution_of_a, factors[factor_index(header, a, a)]);
      value[r] = solution_of_a;
      set_solved(a, solution_of_a);
      x_rest = ext_subtract_product(x_rest, solution_of_a, solution_of_a);
      joint = ext_subtract_product(joint, solution_of_a, factors[factor_index(header, size, a)]);
    }
  }
  if (conditioned) {
    scores[to] = NO_SCORE;
    return;
  }
  if (!(x_rest.x > UNSETTLED_RATIO * x.variance.x)) {
    atomicOr(&outcome[params.outcome_offset + header.node], UNSETTLED);
    scores[to] = NO_SCORE;
    return;
  }
  if (y_rest.x * y.magnify <= EPS || x_rest.x * x.magnify <= EPS) {
    scores[to] = NO_SCORE;
    return;
  }
  scores[to] = score_bits(joint, ext_sqrt(ext_multiply(x_rest, y_rest)));
}
