// The forward substitution of each source, for conditioning sets of any size: in storage, [slot, member, source],
// where the slot is the target's place in its dispatch.
@group(0) @binding(8) var<storage, read_write> solutions: array<vec2f>;

var<private> solution_first: u32;

fn begin_solution(slot: u32, source: u32) {
  solution_first = slot * params.largest_set * params.stride + source;
}

fn solved(member: u32) -> vec2f {
  return solutions[solution_first + member * params.stride];
}

fn set_solved(member: u32, value: vec2f) {
  solutions[solution_first + member * params.stride] = value;
}
