// Stored magnitudes -> deviations in f32, magnitude * scale - pivot * scale, for shared/multiply-fast.wgsl. Twin:
// addColumns in src/statistics/pair-accumulator.ts.

// Writes one column's values; returns the sums of its deviations and of their squares as (high, low) pairs.
fn centre(place: u32, rows: u32, read_at: u32, write_at: u32, pivot: vec2f) -> vec4f {
  exponents[place] = 0;
  var sum = vec2f();
  var squares = vec2f();
  for (var row = 0u; row < rows; row++) {
    let deviation = opaque(chunk[read_at + row * params.stride] * pivot.y - pivot.x * pivot.y);
    values[write_at + row * params.stride] = bitcast<u32>(deviation);
    sum = ds_add(sum, vec2f(deviation, 0.0));
    squares = ds_add(squares, two_product(deviation, deviation));
  }
  return vec4f(sum, squares);
}
