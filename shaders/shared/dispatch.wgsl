// The index of a workgroup that `workgroups()` of src/gpu/recorder.ts laid out in x and y.
fn workgroup_index(id: vec3u, count: vec3u) -> u32 {
  return id.y * count.x + id.x;
}
