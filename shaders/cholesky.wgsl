// Cholesky factors K = R R^T of the conditioning sets' covariances with the ridge, and the forward substitution of
// y_j as one row more (method.md, "score = 'partial'"). Twin: src/scores/cholesky.ts, src/scores/partial-column.ts.
// One workgroup per target; a thread has every WORKGROUP-th row, and the columns follow one another.

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
    let left = factors[factor_index(header, row, m)];
    rest = ext_subtract_product(rest, left, factors[factor_index(header, other, m)]);
  }
  return rest;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let index = workgroup_index(group, groups);
  if (index >= params.targets) {
    return;
  }
  let header = target_header(index);
  let size = header.size;
  let y = moments[params.stride + header.node];
  let largest = largest_diagonal(header);
  var found = 0u;

  for (var column = 0u; column < size; column++) {
    // Row `column` of the factor is complete: it was written in earlier rounds, by another thread.
    storageBarrier();
    let diagonal = set_covariance(header, column, column);
    let pivot = eliminated(header, diagonal, column, column, column);
    let magnify = moments[member_source(header, column)].magnify;
    if (!(pivot.x > UNSETTLED_RATIO * diagonal.x && pivot.x * magnify > NEAR_SINGULAR * largest)) {
      found |= UNSETTLED;
    }
    let reciprocal = ext_divide(vec2f(1.0, 0.0), ext_sqrt(vec2f(max(pivot.x, SMALLEST_PIVOT), pivot.y)));
    // The first row from `column` on that is this thread's.
    let first = column + (local + WORKGROUP - column % WORKGROUP) % WORKGROUP;
    for (var row = first; row <= size; row += WORKGROUP) {
      var entry = reciprocal;
      if (row > column) {
        var value: vec2f;
        if (row == size) {
          value = target_covariances[member_index(header, column, params.targets)];
        } else {
          value = set_covariance(header, row, column);
        }
        entry = ext_multiply(eliminated(header, value, row, column, column), reciprocal);
      }
      factors[factor_index(header, row, column)] = entry;
    }
  }
  storageBarrier();

  if (local == 0u) {
    let rest = eliminated(header, y.variance, size, size, size);
    factors[factor_index(header, size, size)] = rest;
    if (is_constant(y)) {
      found |= NO_COLUMN;
    } else if (!(rest.x > UNSETTLED_RATIO * y.variance.x)) {
      found |= UNSETTLED;
    } else if (rest.x * y.magnify <= EPS) {
      found |= NO_COLUMN;
    }
  }
  if (found != 0u) {
    atomicOr(&outcome[params.outcome_offset + header.node], found);
  }
}
