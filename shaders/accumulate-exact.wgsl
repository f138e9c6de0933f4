// Adds X^T Y and X^T X of the staged digits to the sums of one layer pair, exactly. Twin: src/statistics/
// scalar-products.ts. One thread per 4 x 4 block of sums.
//
// A deviation is (2^20 a + 2^10 b + c) quanta with digits of at most 512 in size (digits.wgsl). The products of two
// deviations fall into orders: aa' (2^40), ab' + ba' (2^30), ac' + bb' + ca' (2^20), and the rest. Sums of the first
// three over CHUNK = 16 rows are integers of at most 3 * 16 * 2^18 < 2^24, so float32 holds every partial sum of
// them exactly, in whatever order and however fused a compiler forms them; they are then added up as integers. The
// rest is below 2^-30 of the whole, and its rounding below 2^-52.

struct Params {
  rows: u32,
  stride: u32,
  first_batch: u32,
  // first row of the panel of sums
  panel_row: u32,
  // block of this dispatch's first thread, and one past the last thread's
  first_block: u32,
  end_block: u32,
  // rows that the digits have room for
  stage_rows: u32,
  zero: u32,
}

override WORKGROUP: u32;
const CHUNK: u32 = 16u;
// 2^-10, from one order of products to the next
const SHIFT: f32 = 0.0009765625;

@group(0) @binding(0) var<uniform> params: Params;
// [x or y, row, digit, column]
@group(0) @binding(1) var<storage, read> digits: array<vec4f>;
// [x or y, column]: a quantum is 2^(exponent - 29)
@group(0) @binding(2) var<storage, read> exponents: array<vec4i>;
@group(0) @binding(3) var<storage, read> refusal: Refusal;
@group(0) @binding(4) var<storage, read_write> sum_xy: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> sum_xx: array<vec4f>;

// (first + second / 2^10 + third / 2^20 + rest / 2^30) * up * across
fn total(first: i32, second: i32, third: i32, rest: f32, up: f32, across: f32) -> vec2f {
  let tail = ext_add(ext_integer(third), vec2f(rest, 0.0) * SHIFT);
  let sum = ext_add(ext_integer(first), ext_add(ext_integer(second), tail * SHIFT) * SHIFT);
  return sum * up * across;
}

// Adds four totals to four sums of one row: their high words at `at`, their low words after them.
fn add_row(
  symmetric: bool,
  at: u32,
  first: vec4i,
  second: vec4i,
  third: vec4i,
  rest: vec4f,
  up: f32,
  across: vec4f,
) {
  var high: vec4f;
  var low: vec4f;
  if (symmetric) {
    high = sum_xx[at];
    low = sum_xx[at + 1u];
  } else {
    high = sum_xy[at];
    low = sum_xy[at + 1u];
  }
  for (var c = 0u; c < 4u; c++) {
    let added = ext_add(vec2f(high[c], low[c]), total(first[c], second[c], third[c], rest[c], up, across[c]));
    high[c] = added.x;
    low[c] = added.y;
  }
  if (symmetric) {
    sum_xx[at] = high;
    sum_xx[at + 1u] = low;
  } else {
    sum_xy[at] = high;
    sum_xy[at + 1u] = low;
  }
}

fn powers_of_two(exponents: vec4i) -> vec4f {
  return bitcast<vec4f>((exponents + 127) << vec4u(23u));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let thread = workgroup_index(group, groups) * WORKGROUP + local;
  // Four threads to a tile: a quarter each.
  let index = params.first_block + thread / 4u;
  let block = block_at(index, params.stride / TILE);
  let rows = valid_rows(refusal, params.first_batch, params.rows);
  if (index >= params.end_block || !block.valid || rows == 0u) {
    return;
  }
  let step = params.stride / 4u;
  // In groups of four columns.
  let row_group = block.row * 2u + (thread & 2u) / 2u;
  let column_group = block.column * 2u + (thread & 1u);
  var left = row_group;
  var right = column_group;
  if (!block.symmetric) {
    left += 3u * params.stage_rows * step;
  }

  var first0 = vec4i();
  var second0 = vec4i();
  var third0 = vec4i();
  var rest0 = vec4f();
  var first1 = vec4i();
  var second1 = vec4i();
  var third1 = vec4i();
  var rest1 = vec4f();
  var first2 = vec4i();
  var second2 = vec4i();
  var third2 = vec4i();
  var rest2 = vec4f();
  var first3 = vec4i();
  var second3 = vec4i();
  var third3 = vec4i();
  var rest3 = vec4f();

  for (var chunk = 0u; chunk < rows; chunk += CHUNK) {
    var aa0 = vec4f();
    var ab0 = vec4f();
    var ac0 = vec4f();
    var aa1 = vec4f();
    var ab1 = vec4f();
    var ac1 = vec4f();
    var aa2 = vec4f();
    var ab2 = vec4f();
    var ac2 = vec4f();
    var aa3 = vec4f();
    var ab3 = vec4f();
    var ac3 = vec4f();
    let end = min(chunk + CHUNK, rows);
    for (var row = chunk; row < end; row++) {
      let xa = digits[left];
      let xb = digits[left + step];
      let xc = digits[left + 2u * step];
      let ya = digits[right];
      let yb = digits[right + step];
      let yc = digits[right + 2u * step];
      let y_tail = yb + yc * SHIFT;
      left += 3u * step;
      right += 3u * step;
      aa0 += xa.x * ya;
      ab0 += xa.x * yb + xb.x * ya;
      ac0 += xa.x * yc + xb.x * yb + xc.x * ya;
      rest0 += xb.x * yc + xc.x * y_tail;
      aa1 += xa.y * ya;
      ab1 += xa.y * yb + xb.y * ya;
      ac1 += xa.y * yc + xb.y * yb + xc.y * ya;
      rest1 += xb.y * yc + xc.y * y_tail;
      aa2 += xa.z * ya;
      ab2 += xa.z * yb + xb.z * ya;
      ac2 += xa.z * yc + xb.z * yb + xc.z * ya;
      rest2 += xb.z * yc + xc.z * y_tail;
      aa3 += xa.w * ya;
      ab3 += xa.w * yb + xb.w * ya;
      ac3 += xa.w * yc + xb.w * yb + xc.w * ya;
      rest3 += xb.w * yc + xc.w * y_tail;
    }
    first0 += vec4i(aa0);
    second0 += vec4i(ab0);
    third0 += vec4i(ac0);
    first1 += vec4i(aa1);
    second1 += vec4i(ab1);
    third1 += vec4i(ac1);
    first2 += vec4i(aa2);
    second2 += vec4i(ab2);
    third2 += vec4i(ac2);
    first3 += vec4i(aa3);
    second3 += vec4i(ab3);
    third3 += vec4i(ac3);
  }

  var up_from = row_group;
  if (!block.symmetric) {
    up_from += step;
  }
  let up = powers_of_two(exponents[up_from] - 9);
  let across = powers_of_two(exponents[column_group] - 9);
  let sums = (4u * row_group - params.panel_row) * params.stride / 2u + column_group * 2u;
  add_row(block.symmetric, sums + 0u * params.stride / 2u, first0, second0, third0, rest0, up.x, across);
  add_row(block.symmetric, sums + 1u * params.stride / 2u, first1, second1, third1, rest1, up.y, across);
  add_row(block.symmetric, sums + 2u * params.stride / 2u, first2, second2, third2, rest2, up.z, across);
  add_row(block.symmetric, sums + 3u * params.stride / 2u, first3, second3, third3, rest3, up.w, across);
}
