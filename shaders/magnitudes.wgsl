// Magnitudes: norms of each node's channels, written to a chunk of stored rows. A non-finite value marks the batch as
// refused.
// Twin: src/statistics/channel-norms.ts. One thread per (row, column).

struct Params {
  rows: u32,
  channels: u32,
  nodes: u32,
  // columns of the chunk: nodes, zero-padded to a multiple of TILE
  stride: u32,
  batch: u32,
  quantity: u32,
  // first row in the chunk: of these rows, and of their batch
  first_row: u32,
  batch_row: u32,
  // index in the chunk of this quantity's row 0
  chunk_offset: u32,
  zero: u32,
}

struct AtomicRefusal {
  batch: atomic<u32>,
  place: atomic<u32>,
  row: atomic<u32>,
}

// 0: the node's one value unchanged; 1: sum of absolute values; 2: Euclidean norm
override REDUCTION: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
// Bits rather than floats: compilers may assume that floats are finite.
@group(0) @binding(1) var<storage, read> channel_values: array<u32>;
@group(0) @binding(2) var<storage, read> group_offsets: array<u32>;
@group(0) @binding(3) var<storage, read> group_channels: array<u32>;
@group(0) @binding(4) var<storage, read_write> chunk: array<f32>;
@group(0) @binding(5) var<storage, read_write> refusal: AtomicRefusal;

const EXPONENT_BITS: u32 = 0x7f800000u;

fn is_finite(bits: u32) -> bool {
  return (bits & EXPONENT_BITS) != EXPONENT_BITS;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  fence = params.zero;
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let row = index / params.stride;
  let node = index % params.stride;
  if (row >= params.rows || atomicLoad(&refusal.batch) < params.batch) {
    return;
  }
  let to = params.chunk_offset + (params.first_row + row) * params.stride + node;
  if (node >= params.nodes) {
    chunk[to] = 0.0;
    return;
  }
  let base = row * params.channels;
  let first = group_offsets[node];
  let end = group_offsets[node + 1u];

  var finite = true;
  var largest_bits = 0u;
  var sum = 0.0;
  for (var c = first; c < end; c++) {
    let bits = channel_values[base + group_channels[c]];
    finite &= is_finite(bits);
    largest_bits = max(largest_bits, bits & 0x7fffffffu);
    sum += select(abs(bitcast<f32>(bits)), bitcast<f32>(bits), REDUCTION == 0u);
  }
  if (REDUCTION == 2u && finite) {
    // Scaled by a power of two, so that squares neither overflow nor underflow.
    let exponent = clamp(i32(largest_bits >> 23u) - 127, -126, 126);
    let down = power_of_two(-exponent);
    var squares = 0.0;
    for (var c = first; c < end; c++) {
      let scaled = bitcast<f32>(channel_values[base + group_channels[c]]) * down;
      squares += scaled * scaled;
    }
    let root = ds_sqrt(vec2f(squares, 0.0));
    sum = (root.x + root.y) * power_of_two(exponent);
  }
  if (!finite || !is_finite(bitcast<u32>(sum))) {
    atomicMin(&refusal.batch, params.batch);
    atomicMin(&refusal.place, params.quantity * params.nodes + node);
    atomicMin(&refusal.row, params.batch_row);
  }
  chunk[to] = sum;
}
