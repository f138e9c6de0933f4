// The linear systems of a block of targets of one panel, in units: for each target the lower triangle of
// S_xx[S, S] + ridge I, below it the row S_xy[S, j], and at its end var_y[j] (method.md, "score = 'partial'"), stored
// where the factor will be. Twin: covariances in src/scoring/partial.ts. One thread per (target, element).

struct Params {
  stride: u32,
  panel_row: u32,
  targets: u32,
  // first target of this dispatch
  first_target: u32,
  ridge_high: f32,
  ridge_low: f32,
  inverse_count_high: f32,
  inverse_count_low: f32,
  zero: u32,
}

override WORKGROUP: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read> moments: array<Moment>;
@group(0) @binding(3) var<storage, read> covariance_rows: array<vec2f>;
@group(0) @binding(4) var<storage, read> sum_xy: array<f32>;
@group(0) @binding(5) var<storage, read_write> factors: array<vec2f>;
// per member of each set, in the order of the plan: its variance with the ridge, and its `magnify`
@group(0) @binding(6) var<storage, read_write> diagonals: array<vec2f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  fence = params.zero;
  let header = target_header(params.first_target + group.y);
  let element = group.x * WORKGROUP + local;
  if (element > packed_index(header.size, header.size)) {
    return;
  }
  let row = packed_row(element);
  let column = element - packed_index(row, 0u);
  factors[header.factor + element] = system_entry(header, row, column);
}

fn system_entry(header: TargetHeader, row: u32, column: u32) -> vec2f {
  let y = moments[params.stride + header.node];
  if (column == header.size) {
    return y.variance;
  }
  let source = member_source(header, column);
  let x = moments[source];
  if (row == header.size) {
    let at = sum_index(header.node - params.panel_row, source, params.stride);
    let inverse_count = vec2f(params.inverse_count_high, params.inverse_count_low);
    return covariance(vec2f(sum_xy[at], sum_xy[at + 4u]), inverse_count, x, y);
  }
  let value = covariance_rows[member_row(header, row) * params.stride + source];
  if (row != column) {
    return value;
  }
  let with_ridge = ds_add(value, vec2f(params.ridge_high, params.ridge_low) * (1.0 / x.magnify));
  diagonals[member_index(header, column, params.targets)] = vec2f(with_ridge.x, x.magnify);
  return with_ridge;
}

// The row of a packed element: the last one whose first element is not beyond it.
fn packed_row(element: u32) -> u32 {
  var row = u32(sqrt(2.0 * f32(element)));
  while (packed_index(row, 0u) > element) {
    row--;
  }
  while (packed_index(row + 1u, 0u) <= element) {
    row++;
  }
  return row;
}
