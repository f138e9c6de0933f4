// The forward substitution of one source, for conditioning sets of at most PRIVATE_SET members (src/scores/
// webgpu-kernels.ts): kept by its thread.
const PRIVATE_SET: u32 = 32u;
var<private> solution: array<vec2f, PRIVATE_SET>;

fn begin_solution(slot: u32, source: u32) {
}

fn solved(member: u32) -> vec2f {
  return solution[member];
}

fn set_solved(member: u32, value: vec2f) {
  solution[member] = value;
}
