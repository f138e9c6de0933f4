// Adds one layer pair's scores to the aggregate (method.md, "Aggregation over pairs"), pair by pair in order.
// Twin: src/scoring/aggregate.ts. One thread per (source, target).

struct Params {
  // elements of this dispatch: the first, and one past the last
  first_element: u32,
  end_element: u32,
  // whether this is the first pair, and whether it is the last
  first: u32,
  last: u32,
  zero: u32,
}

// 0: mean; 1: score of largest magnitude
override LARGEST: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> scores: array<u32>;
// bits of the sum, or of the largest; of the aggregate after the last pair
@group(0) @binding(2) var<storage, read_write> aggregate: array<u32>;
// number of scores aggregated so far
@group(0) @binding(3) var<storage, read_write> counts: array<u32>;

const EXPONENT_BITS: u32 = 0x7f800000u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = params.first_element + workgroup_index(group, groups) * WORKGROUP + local;
  if (index >= params.end_element) {
    return;
  }
  var so_far = 0.0;
  var count = 0u;
  if (params.first == 0u) {
    so_far = bitcast<f32>(aggregate[index]);
    count = counts[index];
  }
  let bits = scores[index];
  if ((bits & EXPONENT_BITS) != EXPONENT_BITS) {
    let score = bitcast<f32>(bits);
    if (LARGEST == 0u) {
      so_far += score;
    } else if (count == 0u || abs(score) > abs(so_far)) {
      so_far = score;
    }
    count += 1u;
  }
  if (params.last != 0u && count == 0u) {
    aggregate[index] = NO_SCORE;
    return;
  }
  if (params.last != 0u && LARGEST == 0u) {
    so_far /= f32(count);
  }
  aggregate[index] = bitcast<u32>(so_far);
  counts[index] = count;
}
