// Cholesky factors of small conditioning sets (shaders/shared/cholesky.wgsl). One thread per target, no barriers: the
// factor is private to the thread while it is computed. GPUs interleave such arrays between neighbouring threads.
// Twin: src/scoring/cholesky.ts.

struct Params {
  // first word of this pair in `outcome`
  outcome_offset: u32,
  targets: u32,
  zero: u32,
}

override WORKGROUP: u32;

// Most members (src/engine/webgpu/scoring/partial-kernels.ts).
const THREAD_SET: u32 = 16u;
var<private> packed: array<vec2f, (THREAD_SET + 1u) * (THREAD_SET + 2u) / 2u>;

// An entry after elimination of the first `columns` columns.
fn eliminated(row: u32, column: u32, columns: u32) -> vec2f {
  var rest = packed[packed_index(row, column)];
  for (var m = 0u; m < columns; m++) {
    rest = ds_subtract_product(rest, packed[packed_index(row, m)], packed[packed_index(column, m)]);
  }
  return rest;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  fence = params.zero;
  if (id.x >= params.targets) {
    return;
  }
  let header = target_header(id.x);
  let size = header.size;
  let last = packed_index(size, size);
  var largest = 0.0;
  for (var member = 0u; member < size; member++) {
    largest = max(largest, diagonal_of(header, member));
  }
  for (var element = 0u; element <= last; element++) {
    packed[element] = factors[header.factor + element];
  }
  var found = 0u;
  for (var column = 0u; column < size; column++) {
    let pivot = pivot_of(header, column, eliminated(column, column, column), largest);
    found |= pivot.found;
    packed[packed_index(column, column)] = pivot.reciprocal;
    for (var row = column + 1u; row <= size; row++) {
      packed[packed_index(row, column)] = ds_multiply(eliminated(row, column, column), pivot.reciprocal);
    }
  }
  packed[last] = eliminated(size, size, size);
  for (var element = 0u; element <= last; element++) {
    factors[header.factor + element] = packed[element];
  }
  tell(header, found);
}
