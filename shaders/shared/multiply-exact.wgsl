// Products without rounding under any compiler: digits whose products and short sums are integers that f32 holds
// exactly.
//
// A value is a whole number of quanta, 2^20 a + 2^10 b + c with digits of at most 512 in size. The product of two has
// terms of several orders: aa' (2^40), ab' + ba' (2^30), ac' + bb' + ca' (2^20), and the rest. Sums of the first three
// over CHUNK = 16 rows are integers of at most 3 * 16 * 2^18 < 2^24, so float32 holds every partial sum exactly, in
// whatever order and with whatever fusion a compiler computes them; they are then accumulated as integers. The rest is
// below 2^-30 of the whole, and its rounding below 2^-52.

const CHUNK: u32 = 16u;
// A unit of digit a is a deviation of 2^(exponent + UNIT).
const UNIT: i32 = -9;
// 2^-10, the ratio between consecutive orders of products
const SHIFT: f32 = 0.0009765625;

// Four columns of one row, and one of them.
struct Operand {
  a: vec4f,
  b: vec4f,
  c: vec4f,
}
alias Column = vec3f;

// The products of one column of L with four of R: sums of a chunk by order, the rest, and sums of all chunks.
struct Row {
  aa: vec4f,
  ab: vec4f,
  ac: vec4f,
  rest: vec4f,
  first: vec4i,
  second: vec4i,
  third: vec4i,
}

fn digits(quanta: vec4i) -> Operand {
  let a = (quanta + (1 << 19u)) >> vec4u(20u);
  let after_a = quanta - (a << vec4u(20u));
  let b = (after_a + (1 << 9u)) >> vec4u(10u);
  return Operand(vec4f(a), vec4f(b), vec4f(after_a - (b << vec4u(10u))));
}

fn left_operand(at: u32) -> Operand {
  return digits(bitcast<vec4i>(left_values[at]));
}

fn right_operand(at: u32) -> Operand {
  return digits(bitcast<vec4i>(right_values[at]));
}

fn column(operand: Operand, index: u32) -> Column {
  return vec3f(operand.a[index], operand.b[index], operand.c[index]);
}

fn multiply_row(row: Row, left: Column, right: Operand) -> Row {
  return Row(
    row.aa + left.x * right.a,
    row.ab + (left.x * right.b + left.y * right.a),
    row.ac + (left.x * right.c + left.y * right.b + left.z * right.a),
    row.rest + (left.y * right.c + left.z * (right.b + right.c * SHIFT)),
    row.first,
    row.second,
    row.third,
  );
}

fn flush_row(row: Row) -> Row {
  return Row(
    vec4f(),
    vec4f(),
    vec4f(),
    row.rest,
    row.first + vec4i(row.aa),
    row.second + vec4i(row.ab),
    row.third + vec4i(row.ac),
  );
}

// (first + second / 2^10 + third / 2^20 + rest / 2^30) * up * to
fn total(row: Row, up: f32, to: vec4f) -> Sums {
  var sums: Sums;
  for (var c = 0u; c < 4u; c++) {
    let tail = ds_add(ds_integer(row.third[c]), vec2f(row.rest[c], 0.0) * SHIFT);
    let after = ds_add(ds_integer(row.second[c]), tail * SHIFT);
    let sum = ds_add(ds_integer(row.first[c]), after * SHIFT) * up * to[c];
    sums.high[c] = sum.x;
    sums.low[c] = sum.y;
  }
  return sums;
}
