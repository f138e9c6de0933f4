import { tileSize } from './pyramid.ts';
import { roomyCell, type Rgb, type Scene } from './painter.ts';
import code from './heatmap.wgsl?raw';

/** Tiles that stay on the GPU, 256 KiB each. A plot shows at most a quarter of them. */
const layers = 96;
const sceneFloats = 28;

/** Draws scenes into textures of one format, on a device that its caller owns. */
export interface GpuRenderer {
  render(scene: Scene, target: GPUTexture): void;
  /** Forgets the tiles on the GPU. */
  forget(): void;
}

export async function createGpuRenderer(device: GPUDevice, format: GPUTextureFormat): Promise<GpuRenderer> {
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

  const layerOf = (key: string, texels: Uint32Array): number => {
    const known = resident.get(key);
    if (known !== undefined) {
      resident.delete(key);
      resident.set(key, known);
      return known;
    }
    let layer = resident.size;
    if (layer === layers) {
      const [oldest, freed] = resident.entries().next().value!;
      resident.delete(oldest);
      layer = freed;
    }
    device.queue.writeTexture(
      { texture, origin: [0, 0, layer] },
      texels as Uint32Array<ArrayBuffer>,
      { bytesPerRow: 4 * tileSize, rowsPerImage: tileSize },
      [tileSize, tileSize, 1],
    );
    resident.set(key, layer);
    return layer;
  };

  return {
    render(scene, target) {
      const tiles = scene.tiles.slice(0, layers);
      device.queue.writeBuffer(uniforms, 0, sceneData(scene));
      const placed = tiles.flatMap(({ key, texels, x, y, texel }) => [x, y, texel, layerOf(key, texels)]);
      device.queue.writeBuffer(places, 0, Float32Array.from(placed));
      const encoder = device.createCommandEncoder();
      const [r, g, b] = scene.palette.none;
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
  };
}

/** The uniform struct of heatmap.wgsl: two floats of size, extent, marks, then six colours of four floats. */
function sceneData({ size, extent, marksEdges, palette }: Scene): Float32Array<ArrayBuffer> {
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
