// Eliminates the members before a panel from the panel's entries (shaders/shared/solutions.wgsl), for conditioning sets
// of more than one panel: a matrix product, every entry independent. A workgroup has ACROSS x 4 sources and DOWN x 4
// members of a target, so that DOWN threads read the same known values.
// Twin: src/scoring/substitution.ts.

const ACROSS: u32 = 16u;
const DOWN: u32 = 4u;

@compute @workgroup_size(ACROSS, DOWN)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) thread: vec3u) {
  fence = params.zero;
  let slot = group.z;
  let header = target_header(params.first_target + slot);
  let place = params.first_place + group.x * ACROSS + thread.x;
  let member = params.first_member + 4u * (group.y * DOWN + thread.y);
  if (place >= params.quarter || member >= header.size) {
    return;
  }
  let sources = sources_of(place);
  let last = header.size - 1u;
  let covariances = Rests(
    covariances_of(header, member, sources),
    covariances_of(header, min(member + 1u, last), sources),
    covariances_of(header, min(member + 2u, last), sources),
    covariances_of(header, min(member + 3u, last), sources),
  );
  let rests = eliminate(header, slot, place, covariances, member, 0u, params.first_member);
  set_solution(slot, member, place, rests.of0);
  if (member + 1u < header.size) {
    set_solution(slot, member + 1u, place, rests.of1);
  }
  if (member + 2u < header.size) {
    set_solution(slot, member + 2u, place, rests.of2);
  }
  if (member + 3u < header.size) {
    set_solution(slot, member + 3u, place, rests.of3);
  }
}
