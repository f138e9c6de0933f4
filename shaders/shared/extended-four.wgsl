// Four numbers in extended precision at a time, each by the operations of extended.wgsl in their order: the same bits.

struct Four {
  high: vec4f,
  low: vec4f,
}

fn opaque_four(value: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(value) ^ vec4u(fence));
}

// ext_subtract_product(rest, a, b) of each.
fn four_subtract_product(rest: Four, a: vec2f, b: Four) -> Four {
  let a_high = bitcast<f32>(bitcast<u32>(a.x) & SPLIT_MASK);
  let a_low = a.x - a_high;
  let b_high = bitcast<vec4f>(bitcast<vec4u>(b.high) & vec4u(SPLIT_MASK));
  let b_low = b.high - b_high;
  let product = opaque_four(a.x * b.high);
  let first = opaque_four(a_high * b_high - product);
  let second = opaque_four(first + a_high * b_low);
  let third = opaque_four(second + a_low * b_high);
  let product_low = third + a_low * b_low;
  // two_sum(rest, -product)
  let sum = opaque_four(rest.high - product);
  let taken = opaque_four(sum - rest.high);
  let rest_error = opaque_four(rest.high - opaque_four(sum - taken));
  let sum_low = rest_error + opaque_four(-product - taken);
  let low = sum_low + (rest.low - (product_low + (a.x * b.low + a.y * b.high)));
  // quick_two_sum(sum, low)
  let high = opaque_four(sum + low);
  return Four(high, low - opaque_four(high - sum));
}
