// Extended precision: a number as the unevaluated sum hi + lo of two f32, |lo| at most half an ulp of hi; about 48 bits.
//
// WGSL lets compilers reassociate and fuse float arithmetic ("Reassociation and fusion"), which makes textbook error
// terms vanish. Every intermediate that such a rewrite would cancel passes through `opaque`: an exclusive or with a
// zero read from the uniform, so that no compiler can see that the value is unchanged. Factors are split with a bit
// mask into halves whose products are exact, so that fusing them changes nothing.
// Each entry point sets `fence` from its uniform before calling anything here.

var<private> fence: u32;

const SPLIT_MASK: u32 = 0xfffff000u;

fn opaque(value: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(value) ^ fence);
}

// 2^exponent for -126 <= exponent <= 127.
fn power_of_two(exponent: i32) -> f32 {
  return bitcast<f32>(u32(exponent + 127) << 23u);
}

// e with 2^e <= |value| < 2^(e + 1); -127 for zero and for denormal values.
fn exponent_of(value: f32) -> i32 {
  return i32((bitcast<u32>(value) >> 23u) & 0xffu) - 127;
}

// a + b exactly (Knuth).
fn two_sum(a: f32, b: f32) -> vec2f {
  let sum = opaque(a + b);
  let b_part = opaque(sum - a);
  let a_error = opaque(a - opaque(sum - b_part));
  return vec2f(sum, a_error + opaque(b - b_part));
}

// a + b exactly, for |a| >= |b| (Dekker).
fn quick_two_sum(a: f32, b: f32) -> vec2f {
  let sum = opaque(a + b);
  return vec2f(sum, b - opaque(sum - a));
}

// a * b exactly, unless the low half underflows (Dekker, with truncating halves of 12 bits).
fn two_product(a: f32, b: f32) -> vec2f {
  let a_high = bitcast<f32>(bitcast<u32>(a) & SPLIT_MASK);
  let b_high = bitcast<f32>(bitcast<u32>(b) & SPLIT_MASK);
  let a_low = a - a_high;
  let b_low = b - b_high;
  let product = opaque(a * b);
  let first = opaque(a_high * b_high - product);
  let second = opaque(first + a_high * b_low);
  let third = opaque(second + a_low * b_high);
  return vec2f(product, third + a_low * b_low);
}

fn ds_add(a: vec2f, b: vec2f) -> vec2f {
  let high = two_sum(a.x, b.x);
  let low = two_sum(a.y, b.y);
  let carried = quick_two_sum(high.x, high.y + low.x);
  return quick_two_sum(carried.x, carried.y + low.y);
}

fn ds_subtract(a: vec2f, b: vec2f) -> vec2f {
  return ds_add(a, -b);
}

fn ds_multiply(a: vec2f, b: vec2f) -> vec2f {
  let product = two_product(a.x, b.x);
  return quick_two_sum(product.x, product.y + (a.x * b.y + a.y * b.x));
}

// rest - a * b, to 2^-46 of the larger of the two, for half the work of ds_subtract(rest, ds_multiply(a, b)), whose
// bound is relative to the difference itself. If so much cancels that this matters, the caller falls back to float64.
fn ds_subtract_product(rest: vec2f, a: vec2f, b: vec2f) -> vec2f {
  let product = two_product(a.x, b.x);
  let difference = two_sum(rest.x, -product.x);
  let low = rest.y - (product.y + (a.x * b.y + a.y * b.x));
  return quick_two_sum(difference.x, difference.y + low);
}

// Long division: three f32 quotients, each of the remainder of the earlier ones.
fn ds_divide(a: vec2f, b: vec2f) -> vec2f {
  let first = a.x / b.x;
  let after_first = ds_subtract(a, ds_multiply(b, vec2f(first, 0.0)));
  let second = after_first.x / b.x;
  let after_second = ds_subtract(after_first, ds_multiply(b, vec2f(second, 0.0)));
  let third = after_second.x / b.x;
  let quotient = quick_two_sum(first, second);
  return ds_add(quotient, vec2f(third, 0.0));
}

// Square root with one Newton step in extended precision; zero for arguments that are not positive.
fn ds_sqrt(a: vec2f) -> vec2f {
  if (a.x <= 0.0) {
    return vec2f(0.0);
  }
  let root = sqrt(a.x);
  let residual = ds_subtract(a, two_product(root, root));
  return quick_two_sum(root, residual.x / (2.0 * root));
}

// An integer as an extended number.
fn ds_integer(value: i32) -> vec2f {
  let high = value >> 12u;
  return quick_two_sum(f32(high) * 4096.0, f32(value - (high << 12u)));
}
