// Four extended-precision numbers at a time: the operations of extended.wgsl in the same order, so the same bits.

struct Four {
  high: vec4f,
  low: vec4f,
}

fn four(a: vec2f, b: vec2f, c: vec2f, d: vec2f) -> Four {
  return Four(vec4f(a.x, b.x, c.x, d.x), vec4f(a.y, b.y, c.y, d.y));
}

fn opaque_four(value: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(value) ^ vec4u(fence));
}

fn high_half(value: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(value) & vec4u(SPLIT_MASK));
}

// a * b of each, not renormalised. The halves of `a` are computed once for all four products.
fn four_product(a: vec2f, b: Four) -> Four {
  let a_high = bitcast<f32>(bitcast<u32>(a.x) & SPLIT_MASK);
  let a_low = a.x - a_high;
  let b_high = high_half(b.high);
  let b_low = b.high - b_high;
  let product = opaque_four(a.x * b.high);
  let first = opaque_four(a_high * b_high - product);
  let second = opaque_four(first + a_high * b_low);
  let third = opaque_four(second + a_low * b_high);
  return Four(product, (third + a_low * b_low) + (a.x * b.low + a.y * b.high));
}

fn four_square(a: Four) -> Four {
  let high = high_half(a.high);
  let low = a.high - high;
  let product = opaque_four(a.high * a.high);
  let first = opaque_four(high * high - product);
  let second = opaque_four(first + high * low);
  let third = opaque_four(second + low * high);
  return Four(product, (third + low * low) + (a.high * a.low + a.low * a.high));
}

fn four_quick_two_sum(a: vec4f, b: vec4f) -> Four {
  let sum = opaque_four(a + b);
  return Four(sum, b - opaque_four(sum - a));
}

// ds_multiply(a, b) of each.
fn four_multiply(a: vec2f, b: Four) -> Four {
  let product = four_product(a, b);
  return four_quick_two_sum(product.high, product.low);
}

// rest - product of each, as ds_subtract_product.
fn four_subtract(rest: Four, product: Four) -> Four {
  let sum = opaque_four(rest.high - product.high);
  let taken = opaque_four(sum - rest.high);
  let rest_error = opaque_four(rest.high - opaque_four(sum - taken));
  let error = rest_error + opaque_four(-product.high - taken);
  return four_quick_two_sum(sum, error + (rest.low - product.low));
}

fn four_subtract_product(rest: Four, a: vec2f, b: Four) -> Four {
  return four_subtract(rest, four_product(a, b));
}
