// What the ways to factor share: Cholesky factors K = R R^T of the conditioning sets' covariances with the ridge, and
// the forward substitution of y_j as one row more (method.md, "score = 'partial'"). Every way computes an entry by the
// same operations in the same order, so that a factor does not depend on the way, nor on the targets beside it.
// Twin: src/scores/cholesky.ts, src/scores/partial-column.ts.

struct Params {
  nodes: u32,
  stride: u32,
  // first word of this pair in `outcome`
  outcome_offset: u32,
  ridge_high: f32,
  ridge_low: f32,
  targets: u32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read> moments: array<Moment>;
@group(0) @binding(3) var<storage, read> covariance_rows: array<vec2f>;
@group(0) @binding(4) var<storage, read> target_covariances: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> factors: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> outcome: array<atomic<u32>>;

// A pivot this far below the largest diagonal may meet the method's rule for singular sets, which is 2^-52 |S_j|.
const NEAR_SINGULAR: f32 = 9.3132257461547852e-10;

// What is divided by where a pivot is no number to divide by; the column is unsettled then. A member without variance by
// EPS has pivots of 1e-12 and less in units, and is conditioned on all the same.
const SMALLEST_PIVOT: f32 = 1e-30;

// Covariance of members `a` and `b` of the set, with the ridge where they are the same.
fn set_covariance(header: TargetHeader, a: u32, b: u32) -> vec2f {
  let source = member_source(header, b);
  let value = covariance_rows[member_row(header, a) * params.stride + source];
  if (a != b) {
    return value;
  }
  let ridge = vec2f(params.ridge_high, params.ridge_low) * (1.0 / moments[source].magnify);
  return ext_add(value, ridge);
}

fn largest_diagonal(header: TargetHeader) -> f32 {
  var largest = 0.0;
  for (var a = 0u; a < header.size; a++) {
    largest = max(largest, set_covariance(header, a, a).x * moments[member_source(header, a)].magnify);
  }
  return largest;
}

// value - the products of the first `columns` entries of two rows of the factor.
fn eliminated(header: TargetHeader, value: vec2f, row: u32, other: u32, columns: u32) -> vec2f {
  var rest = value;
  for (var m = 0u; m < columns; m++) {
    rest = ext_subtract_product(rest, factor_entry(header, row, m), factor_entry(header, other, m));
  }
  return rest;
}

// A column's reciprocal pivot, and whether float64 must have another look at it.
struct Pivot {
  reciprocal: vec2f,
  found: u32,
}

fn pivot_of(header: TargetHeader, column: u32, largest: f32) -> Pivot {
  let diagonal = set_covariance(header, column, column);
  let pivot = eliminated(header, diagonal, column, column, column);
  let magnify = moments[member_source(header, column)].magnify;
  let settled = pivot.x > UNSETTLED_RATIO * diagonal.x && pivot.x * magnify > NEAR_SINGULAR * largest;
  let root = ext_sqrt(vec2f(max(pivot.x, SMALLEST_PIVOT), pivot.y));
  return Pivot(ext_divide(vec2f(1.0, 0.0), root), select(UNSETTLED, 0u, settled));
}

// An entry of a column, from its diagonal down to the row of y.
fn entry_of(header: TargetHeader, row: u32, column: u32, reciprocal: vec2f) -> vec2f {
  if (row == column) {
    return reciprocal;
  }
  var value: vec2f;
  if (row == header.size) {
    value = target_covariances[member_index(header, column, params.targets)];
  } else {
    value = set_covariance(header, row, column);
  }
  return ext_multiply(eliminated(header, value, row, column, column), reciprocal);
}

// The last entry, the variance of y_j given the set, once all others are there; and what becomes of the target.
fn finish(header: TargetHeader, found_before: u32) {
  let y = moments[params.stride + header.node];
  let rest = eliminated(header, y.variance, header.size, header.size, header.size);
  set_factor_entry(header, header.size, header.size, rest);
  var found = found_before;
  if (is_constant(y)) {
    found |= NO_COLUMN;
  } else if (!(rest.x > UNSETTLED_RATIO * y.variance.x)) {
    found |= UNSETTLED;
  } else if (rest.x * y.magnify <= EPS) {
    found |= NO_COLUMN;
  }
  if (found != 0u) {
    atomicOr(&outcome[params.outcome_offset + header.node], found);
  }
}
