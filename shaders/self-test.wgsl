// The arithmetic that the other kernels rely on, applied to numbers from the host: see src/gpu/self-test.ts.
// One thread per pair of numbers.

struct Params {
  count: u32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> numbers: array<vec2f>;
// [pair, 4]: sum, product, square root of the first, sum of products of digits
@group(0) @binding(2) var<storage, read_write> results: array<vec2f>;

// The 48 products of the largest digits that shared/multiply-exact.wgsl sums in one f32.
fn digit_products(digit: f32) -> f32 {
  var sum = 0.0;
  for (var k = 0u; k < 16u; k++) {
    sum += digit * digit + digit * (digit - 1.0) + (digit - 1.0) * digit;
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  fence = params.zero;
  if (id.x >= params.count) {
    return;
  }
  let pair = numbers[id.x];
  results[4u * id.x] = two_sum(pair.x, pair.y);
  results[4u * id.x + 1u] = two_product(pair.x, pair.y);
  results[4u * id.x + 2u] = ds_sqrt(vec2f(abs(pair.x), 0.0));
  results[4u * id.x + 3u] = vec2f(digit_products(512.0 + f32(params.zero)), 0.0);
}
