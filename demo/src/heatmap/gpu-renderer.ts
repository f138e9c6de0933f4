import { tileSize } from './pyramid.ts';
import { roomyCell, type Look, type Rgb } from './painter.ts';
import type { Place } from './placement.ts';
import code from './heatmap.wgsl?raw';

/** Tiles cached on the GPU, 256 KiB each. A plot shows at most a quarter of them. */
const layers = 96;
const sceneFloats = 28;

type Placed = Omit<Place, 'request'>;

/** Draws tiles into textures of one format, on a device that its caller owns. */
export interface GpuRenderer<Tile extends Placed> {
  render(look: Look, tiles: readonly Tile[], target: GPUTexture): void;
  /** Drops the tiles on the GPU. */
  forget(): void;
  release(): void;
}

/**
 * @param write copies a tile's texels into a layer of a texture of format r32uint; called when a tile to be drawn is
 * not yet on the GPU
 */
export async function createGpuRenderer<Tile extends Placed>(
  device: GPUDevice,
  format: GPUTextureFormat,
  write: (tile: Tile, texture: GPUTexture, layer: number) => void,
): Promise<GpuRenderer<Tile>> {
  const module = device.createShaderModule({ code, label: 'heatmap' });
  const pipeline = await device.createRenderPipelineAsync({
    layout: 'auto',
    vertex: { module, constants: { tile_size: tileSize } },
    fragment: {
      module,
      targets: [{ format }],
      constants: { tile_size: tileSize, roomy: roomyCell },
    },
    primitive: { topology: 'triangle-strip' },
  });
  const texture = device.createTexture({
    size: [tileSize, tileSize, layers],
    format: 'r32uint',
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
  });
  const uniforms = device.createBuffer({
    size: 4 * sceneFloats,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  const places = device.createBuffer({
    size: 16 * layers,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [
      { binding: 0, resource: { buffer: uniforms } },
      { binding: 1, resource: { buffer: places } },
      { binding: 2, resource: texture.createView({ dimension: '2d-array' }) },
    ],
  });
  /** Layer of each tile on the GPU, least recently shown first. */
  const resident = new Map<string, number>();

  const layerOf = (tile: Tile): number => {
    const known = resident.get(tile.key);
    if (known !== undefined) {
      resident.delete(tile.key);
      resident.set(tile.key, known);
      return known;
    }
    let layer = resident.size;
    if (layer === layers) {
      const [oldest, freed] = resident.entries().next().value!;
      resident.delete(oldest);
      layer = freed;
    }
    write(tile, texture, layer);
    resident.set(tile.key, layer);
    return layer;
  };

  return {
    render(look, wanted, target) {
      const tiles = wanted.slice(0, layers);
      device.queue.writeBuffer(uniforms, 0, sceneData(look));
      const placed = tiles.flatMap((tile) => [tile.x, tile.y, tile.texel, layerOf(tile)]);
      device.queue.writeBuffer(places, 0, Float32Array.from(placed));
      const encoder = device.createCommandEncoder();
      const [r, g, b] = look.palette.none;
      const attachment = {
        view: target.createView(),
        clearValue: { r, g, b, a: 1 },
        loadOp: 'clear',
        storeOp: 'store',
      } as const;
      const pass = encoder.beginRenderPass({ colorAttachments: [attachment] });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.draw(4, tiles.length);
      pass.end();
      device.queue.submit([encoder.finish()]);
    },
    forget() {
      resident.clear();
    },
    release() {
      for (const resource of [texture, uniforms, places]) resource.destroy();
    },
  };
}

/** The uniform struct of heatmap.wgsl: two floats of size, extent, marks, then six colours of four floats. */
function sceneData({ size, extent, marksEdges, palette }: Look): Float32Array<ArrayBuffer> {
  const colour = (rgb: Rgb) => [...rgb, 1];
  const { negative, middle, positive, none, mark } = palette;
  return Float32Array.from([
    size.width,
    size.height,
    extent,
    marksEdges ? 1 : 0,
    ...[negative, middle, positive, none, mark, none].flatMap(colour),
  ]);
}

/** A `write` for {@link createGpuRenderer}, for tiles whose texels are on the host. */
export function uploader(device: GPUDevice) {
  return ({ texels }: { readonly texels: Uint32Array }, texture: GPUTexture, layer: number): void => {
    device.queue.writeTexture(
      { texture, origin: [0, 0, layer] },
      texels as Uint32Array<ArrayBuffer>,
      { bytesPerRow: 4 * tileSize, rowsPerImage: tileSize },
      [tileSize, tileSize, 1],
    );
  };
}
