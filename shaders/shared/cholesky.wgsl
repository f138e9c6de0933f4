// Shared by the factorization kernels: Cholesky factors K = R R^T of systems (systems.wgsl), in place, with the forward
// substitution of y_j as one more row (method.md, "score = 'partial'"). In every kernel the products with earlier
// columns are subtracted from an entry one after the other, and the result is multiplied by its column's reciprocal
// pivot: a factor depends neither on the kernel nor on the other targets of the block.
// Twin: src/scoring/cholesky.ts, src/scoring/partial-factor.ts.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read> diagonals: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> factors: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> outcome: array<atomic<u32>>;

// A pivot this far below the largest diagonal may meet the method's rule for singular sets, which is 2^-52 |S_j|.
const NEAR_SINGULAR: f32 = 9.3132257461547852e-10;

// Smallest divisor: replaces pivots that are too small to divide by; the column needs float64 then. A constant member
// has small pivots in units, and is conditioned on all the same.
const SMALLEST_PIVOT: f32 = 1e-30;

// `magnify` is clamped to these; a value at either end stands for one outside (shared/moments.wgsl).
const MAGNIFY_ENDS: vec2f = vec2f(1.1754943508222875e-38, 8.5070591730234616e37);

// A member's diagonal before elimination, in the magnitudes' own units; not below zero.
fn diagonal_of(header: TargetHeader, member: u32) -> f32 {
  let diagonal = diagonals[member_index(header, member, params.targets)];
  return max(diagonal.x * diagonal.y, 0.0);
}

// A column's reciprocal pivot, and NEEDS_FLOAT64 if the host must recompute the target.
struct Pivot {
  reciprocal: vec2f,
  found: u32,
}

// `rest`: the diagonal entry after elimination of the columns before; `largest`: the largest diagonal.
fn pivot_of(header: TargetHeader, column: u32, rest: vec2f, largest: f32) -> Pivot {
  let diagonal = diagonals[member_index(header, column, params.targets)];
  let in_range = diagonal.y > MAGNIFY_ENDS.x && diagonal.y < MAGNIFY_ENDS.y;
  let near_singular = rest.x * diagonal.y <= NEAR_SINGULAR * largest;
  let settled = in_range && !near_singular && rest.x > UNSETTLED_RATIO * diagonal.x;
  let root = ds_sqrt(vec2f(max(rest.x, SMALLEST_PIVOT), rest.y));
  return Pivot(ds_divide(vec2f(1.0, 0.0), root), select(NEEDS_FLOAT64, 0u, settled));
}

fn tell(header: TargetHeader, found: u32) {
  if (found != 0u) {
    atomicOr(&outcome[params.outcome_offset + header.node], found);
  }
}
