// Stored magnitudes -> deviations as whole numbers of quanta, for shared/multiply-exact.wgsl. Twin: addColumns in
// src/statistics/pair-accumulator.ts.
//
// A deviation becomes an integer of at most 2^29 quanta. The quantum is 2^(e - 29), where 2^e is the first power of two
// above the column's largest deviation in these rows. All later sums are of these integers, so the sums of a column are
// consistent with each other.

// Magnitudes are scaled to about one, so deviations below 2^-90 count as zero. Keeps powers of two within f32.
const SMALLEST_EXPONENT: i32 = -90;

// Writes one column's values; returns the sums of its deviations and of their squares as (high, low) pairs.
fn centre(place: u32, rows: u32, read_at: u32, write_at: u32, pivot: vec2f) -> vec4f {
  // Scaled before the subtraction: differences of tiny magnitudes would underflow.
  let scale = pivot.y;
  let scaled_pivot = pivot.x * scale;
  var largest = 0.0;
  for (var row = 0u; row < rows; row++) {
    largest = max(largest, abs(chunk[read_at + row * params.stride] * scale - scaled_pivot));
  }
  let exponent = max(exponent_of(largest) + 1, SMALLEST_EXPONENT);
  exponents[place] = exponent;

  let quanta = power_of_two(29 - exponent);
  var high_sum = 0;
  var low_sum = 0;
  var squares = vec2f();
  for (var row = 0u; row < rows; row++) {
    // Exact: the deviation as two words, scaled by powers of two, rounded once to whole quanta.
    let deviation = two_sum(chunk[read_at + row * params.stride] * scale, -scaled_pivot) * quanta;
    let whole = floor(deviation.x);
    let integer = i32(whole) + i32(floor(opaque(deviation.x - whole) + deviation.y + 0.5));
    values[write_at + row * params.stride] = bitcast<u32>(integer);
    let high = integer >> 10u;
    let low = integer - (high << 10u);
    high_sum += high;
    low_sum += low;
    let value = quick_two_sum(f32(high) * 1024.0, f32(low));
    squares = ds_add(squares, ds_multiply(value, value));
  }
  let quantum = power_of_two(exponent - 29);
  let sum = ds_add(ds_integer(high_sum) * 1024.0, ds_integer(low_sum));
  return vec4f(sum * quantum, squares * quantum * quantum);
}
