// Linear index of a workgroup laid out in x and y by `workgroups()` of src/gpu/recorder.ts.
fn workgroup_index(id: vec3u, count: vec3u) -> u32 {
  return id.y * count.x + id.x;
}
