// A level of the pyramid from the finer one below it: each texel covers four. Both lie in squares that are padded with
// empty texels.

struct Halve {
  side: u32,           // texels along the coarse level
  coarse_stride: u32,
  fine_stride: u32,
}

@group(0) @binding(0) var<uniform> halve: Halve;
@group(0) @binding(1) var<storage, read> fine: array<u32>;
@group(0) @binding(2) var<storage, read_write> coarse: array<u32>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if id.y >= halve.side || id.x >= halve.side { return; }
  let at = 2 * id.y * halve.fine_stride + 2 * id.x;
  let upper = joined(fine[at], fine[at + 1]);
  let lower = joined(fine[at + halve.fine_stride], fine[at + halve.fine_stride + 1]);
  coarse[id.y * halve.coarse_stride + id.x] = joined(upper, lower);
}
