// Exact products by integer dot products, where the device has WGSL's packed_4x8_integer_dot_product: four rows at a
// time, each value as four signed digits of eight bits.
//
// A value is a whole number of quanta, 2^24 a + 2^16 b + 2^8 c + d with digits from -128 to 127. The sixteen products of
// two fall into seven orders, 2^8 apart, each summed as an integer over all rows of a dispatch: four products of at
// most 2^14 a row, so that there is room for 2^15 rows.

const OPERAND_ROWS: u32 = 4u;
const CHUNK: u32 = 64u;
// The digit a counts deviations of 2^(exponent + UNIT).
const UNIT: i32 = -5;
// 2^-8, from one order of products to the next
const SHIFT: f32 = 0.00390625;

// Four columns of four rows, a word of four digits for each column; and one column.
struct Operand {
  a: vec4u,
  b: vec4u,
  c: vec4u,
  d: vec4u,
}
alias Column = vec4u;

// The products of one column of L with four of R, by order.
struct Row {
  aa: vec4i,
  ab: vec4i,
  ac: vec4i,
  ad: vec4i,
  bd: vec4i,
  cd: vec4i,
  dd: vec4i,
}

// The digits of one row's quanta in the lowest byte of each word.
fn digits(quanta: vec4i) -> Operand {
  let without_d = (quanta + 128) >> vec4u(8u);
  let without_c = (without_d + 128) >> vec4u(8u);
  let a = (without_c + 128) >> vec4u(8u);
  let bytes = vec4u(0xffu);
  return Operand(
    bitcast<vec4u>(a) & bytes,
    bitcast<vec4u>(without_c) & bytes,
    bitcast<vec4u>(without_d) & bytes,
    bitcast<vec4u>(quanta) & bytes,
  );
}

fn with_row(operand: Operand, quanta: vec4u, byte: u32) -> Operand {
  let row = digits(bitcast<vec4i>(quanta));
  let shift = vec4u(8u * byte);
  return Operand(
    operand.a | (row.a << shift),
    operand.b | (row.b << shift),
    operand.c | (row.c << shift),
    operand.d | (row.d << shift),
  );
}

fn left_operand(at: u32, rows: u32) -> Operand {
  var operand = Operand();
  for (var row = 0u; row < min(rows, 4u); row++) {
    operand = with_row(operand, left_values[at + row * params.left_stride / 4u], row);
  }
  return operand;
}

fn right_operand(at: u32, rows: u32) -> Operand {
  var operand = Operand();
  for (var row = 0u; row < min(rows, 4u); row++) {
    operand = with_row(operand, right_values[at + row * params.stride / 4u], row);
  }
  return operand;
}

fn column(operand: Operand, index: u32) -> Column {
  return vec4u(operand.a[index], operand.b[index], operand.c[index], operand.d[index]);
}

fn dots(left: u32, right: vec4u) -> vec4i {
  return vec4i(
    dot4I8Packed(left, right.x),
    dot4I8Packed(left, right.y),
    dot4I8Packed(left, right.z),
    dot4I8Packed(left, right.w),
  );
}

fn multiply_row(row: Row, left: Column, right: Operand) -> Row {
  let aa = dots(left.x, right.a);
  let ab = dots(left.x, right.b) + dots(left.y, right.a);
  let ac = dots(left.x, right.c) + dots(left.y, right.b) + dots(left.z, right.a);
  let ad = dots(left.x, right.d) + dots(left.y, right.c) + dots(left.z, right.b) + dots(left.w, right.a);
  let bd = dots(left.y, right.d) + dots(left.z, right.c) + dots(left.w, right.b);
  let cd = dots(left.z, right.d) + dots(left.w, right.c);
  let dd = dots(left.w, right.d);
  return Row(row.aa + aa, row.ab + ab, row.ac + ac, row.ad + ad, row.bd + bd, row.cd + cd, row.dd + dd);
}

fn flush_row(row: Row) -> Row {
  return row;
}

fn total(row: Row, up: f32, to: vec4f) -> Sums {
  var sums: Sums;
  for (var c = 0u; c < 4u; c++) {
    var sum = ds_integer(row.dd[c]) * SHIFT;
    sum = ds_add(ds_integer(row.cd[c]), sum) * SHIFT;
    sum = ds_add(ds_integer(row.bd[c]), sum) * SHIFT;
    sum = ds_add(ds_integer(row.ad[c]), sum) * SHIFT;
    sum = ds_add(ds_integer(row.ac[c]), sum) * SHIFT;
    sum = ds_add(ds_integer(row.ab[c]), sum) * SHIFT;
    sum = ds_add(ds_integer(row.aa[c]), sum) * up * to[c];
    sums.high[c] = sum.x;
    sums.low[c] = sum.y;
  }
  return sums;
}
