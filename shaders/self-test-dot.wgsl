// Integer dot products of words of the host's choice, as shared/multiply-dot.wgsl relies on them: see
// src/gpu/self-test.ts. One thread per pair of words.

struct Params {
  count: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> words: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> results: array<i32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.count) {
    results[id.x] = dot4I8Packed(words[id.x].x, words[id.x].y);
  }
}
