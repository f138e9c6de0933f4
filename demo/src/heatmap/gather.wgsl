// Texels over span x span cells, from one panel of the score matrix (a row for each target); texels that hold something
// already are joined with it, so that panels follow each other. Host twin: HeatmapPyramid.

struct Gather {
  nodes: u32,
  span: u32,
  top: u32,            // first texel, row and column, counted over the whole level
  left: u32,
  rows: u32,           // texels to fill
  columns: u32,
  stride: u32,         // texels from row to row of the output
  first_target: u32,   // of the panel
  targets: u32,
  skips_self: u32,
}

@group(0) @binding(0) var<uniform> gather: Gather;
@group(0) @binding(1) var<storage, read> scores: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> edges: array<u32>;
@group(0) @binding(4) var<storage, read_write> texels: array<u32>;

// The bits of a pair without a score.
const no_score = 0x7fc00000u;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // Neighbouring threads take neighbouring sources, which lie side by side in a panel.
  if id.x >= gather.rows || id.y >= gather.columns { return; }
  let row = (gather.top + id.x) * gather.span;
  let column = (gather.left + id.y) * gather.span;
  var low = 2.0;
  var high = -2.0;
  var edge = false;
  for (var k = column; k < min(column + gather.span, gather.nodes); k++) {
    let to_node = order[k];
    if to_node < gather.first_target || to_node >= gather.first_target + gather.targets { continue; }
    for (var i = row; i < min(row + gather.span, gather.nodes); i++) {
      let of_node = order[i];
      if gather.skips_self == 1 && of_node == to_node { continue; }
      let bits = scores[(to_node - gather.first_target) * gather.nodes + of_node];
      if bits != no_score {
        let score = bitcast<f32>(bits);
        low = min(low, score);
        high = max(high, score);
      }
      let cell = to_node * gather.nodes + of_node;
      edge = edge || ((edges[cell >> 5] >> (cell & 31)) & 1) == 1;
    }
  }
  let at = id.x * gather.stride + id.y;
  texels[at] = joined(texels[at], packed(low, high, edge));
}
