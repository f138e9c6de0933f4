// Copies rows ("lines") of X^T X unchanged: from the stored triangle, the rows of listed sources or the diagonal; or
// listed rows of a matrix of whole rows. One thread per (listed line, element); each panel's dispatch copies the
// elements that it holds.
// Twin: `copyPart` in src/statistics/packed-symmetric.ts.

struct Params {
  lines: u32,
  stride: u32,
  // columns per row of the sums: all, or one tile's
  width: u32,
  panel_row: u32,
  panel_rows: u32,
  // 1: rows are whole, and `lines` names them
  whole: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
// a source, or DIAGONAL
@group(0) @binding(1) var<storage, read> lines: array<u32>;
@group(0) @binding(2) var<storage, read> sum_xx: array<f32>;
// [line, place]: high and low word
@group(0) @binding(3) var<storage, read_write> gathered: array<vec2f>;

const DIAGONAL: u32 = 0xffffffffu;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let line = index / params.stride;
  let along = index % params.stride;
  if (line >= params.lines) {
    return;
  }
  var place = vec2u(lines[line], along);
  if (place.x == DIAGONAL) {
    place = vec2u(along, along);
  } else if (params.whole == 0u) {
    place = symmetric_place(place.x, along);
  }
  if (place.x < params.panel_row || place.x >= params.panel_row + params.panel_rows) {
    return;
  }
  let at = sum_index(place.x - params.panel_row, place.y % params.width, params.width);
  gathered[index] = vec2f(sum_xx[at], sum_xx[at + 4u]);
}
