// Products in float32: the products of CHUNK rows are summed in f32, and chunk sums are added to (high, low) pairs.
// Values are f32 deviations.

// Rows per flush.
const CHUNK: u32 = 32u;
// A unit of a value is a deviation of 2^(exponent + UNIT).
const UNIT: i32 = 0;

// Four columns of one row, and one of them.
alias Operand = vec4f;
alias Column = f32;

// The products of one column of L with four of R.
struct Row {
  chunk: vec4f,
  high: vec4f,
  low: vec4f,
}

fn left_operand(at: u32) -> Operand {
  return bitcast<vec4f>(left_values[at]);
}

fn right_operand(at: u32) -> Operand {
  return bitcast<vec4f>(right_values[at]);
}

fn column(operand: Operand, index: u32) -> Column {
  return operand[index];
}

fn multiply_row(row: Row, left: Column, right: Operand) -> Row {
  return Row(row.chunk + left * right, row.high, row.low);
}

fn opaque4(value: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(value) ^ vec4u(fence));
}

// Two-sum (Knuth); the low words are renormalised when they are added to the sums.
fn flush_row(row: Row) -> Row {
  let sum = opaque4(row.high + row.chunk);
  let chunk_part = opaque4(sum - row.high);
  let high_error = opaque4(row.high - opaque4(sum - chunk_part));
  return Row(vec4f(), sum, row.low + (high_error + opaque4(row.chunk - chunk_part)));
}

fn total(row: Row, up: f32, to: vec4f) -> Sums {
  let sum = opaque4(row.high + row.low);
  return Sums(sum, row.low - opaque4(sum - row.high));
}
