// Draws placed tiles of packed texels (cell.ts): one instance for each tile, one texture layer for each texel block.
// Host twin: canvas-painter.ts.

struct Scene {
  size: vec2f,        // plot, CSS pixels
  extent: f32,        // score of full colour
  marks_edges: f32,
  negative: vec4f,
  middle: vec4f,
  positive: vec4f,
  none: vec4f,
  mark: vec4f,
  ground: vec4f,
}

struct Tile {
  corner: vec2f,      // CSS pixels from the plot's corner
  texel: f32,         // CSS pixels for each texel
  layer: f32,
}

@group(0) @binding(0) var<uniform> scene: Scene;
@group(0) @binding(1) var<storage, read> tiles: array<Tile>;
@group(0) @binding(2) var texels: texture_2d_array<u32>;

override tile_size: f32;
override roomy: f32;

struct Corner {
  @builtin(position) position: vec4f,
  @location(0) texel: vec2f,
  @location(1) @interpolate(flat) tile: u32,
}

@vertex
fn corner(@builtin(vertex_index) vertex: u32, @builtin(instance_index) tile: u32) -> Corner {
  let unit = vec2f(f32(vertex & 1u), f32(vertex >> 1u));
  let at = tiles[tile].corner + unit * tile_size * tiles[tile].texel;
  let clip = vec2f(at.x / scene.size.x * 2 - 1, 1 - at.y / scene.size.y * 2);
  return Corner(vec4f(clip, 0, 1), unit * tile_size, tile);
}

fn ramp(score: f32) -> vec3f {
  let strength = min(abs(score) / scene.extent, 1.0);
  return mix(scene.middle.rgb, select(scene.positive.rgb, scene.negative.rgb, score < 0), strength);
}

@fragment
fn colour(in: Corner) -> @location(0) vec4f {
  let tile = tiles[in.tile];
  let place = vec2u(min(in.texel, vec2f(tile_size - 1)));
  let cell = textureLoad(texels, place, u32(tile.layer), 0).r;
  if cell == 0 { return vec4f(scene.none.rgb, 1); }

  let low = (f32(cell & 0x7fff) - 16383) / 16383;
  let high = (f32((cell >> 15) & 0x7fff) - 16383) / 16383;
  var shown = scene.none.rgb;
  if (cell >> 31) == 1 { shown = ramp(select(high, low, -low > high)); }

  let inside = fract(in.texel);
  if tile.texel >= roomy {
    let gap = 1 / tile.texel;
    if any(inside > vec2f(1 - gap)) { return vec4f(scene.ground.rgb, 1); }
  }
  if scene.marks_edges > 0 && ((cell >> 30) & 1) == 1 {
    if tile.texel < roomy {
      shown = mix(shown, scene.mark.rgb, 0.4);
    } else {
      let distance = length(inside - 0.5) * tile.texel;
      shown = mix(scene.mark.rgb, shown, smoothstep(-0.7, 0.7, distance - max(1.5, tile.texel * 0.16)));
    }
  }
  return vec4f(shown, 1);
}
