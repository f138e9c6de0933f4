import { afterAll, beforeAll, expect, test } from 'vitest';
import { seeded } from '../../demo/src/graph/random.ts';
import { createCanvasPainter } from '../../demo/src/heatmap/canvas-painter.ts';
import { packCell } from '../../demo/src/heatmap/cell.ts';
import { createGpuRenderer } from '../../demo/src/heatmap/gpu-renderer.ts';
import type { PlacedTile, Scene } from '../../demo/src/heatmap/painter.ts';
import { tileSize } from '../../demo/src/heatmap/pyramid.ts';

let device: GPUDevice;
beforeAll(async () => {
  const adapter = await navigator.gpu.requestAdapter();
  device = await adapter!.requestDevice();
});
afterAll(() => {
  device.destroy();
});

const size = { width: 256, height: 192 };

function sceneWith(texel: number, x: number, y: number): Scene {
  const random = seeded(9);
  const texels = Uint32Array.from({ length: tileSize * tileSize }, () => {
    if (random() < 0.1) return 0;
    const a = 2 * random() - 1;
    return packCell(Math.min(a, a + 0.2), Math.max(a, a + 0.2), random() < 0.1);
  });
  const tile: PlacedTile = { key: 'only', texels, x, y, texel, isFinest: true };
  return {
    tiles: [tile],
    size,
    extent: 0.8,
    marksEdges: texel < 6,
    palette: {
      negative: [0.1, 0.3, 0.6],
      middle: [0.95, 0.95, 0.9],
      positive: [0.7, 0.3, 0.1],
      none: [1, 1, 1],
      mark: [0, 0, 0],
    },
  };
}

/** What the GPU draws, as RGBA bytes. */
async function drawnOnGpu(scene: Scene): Promise<Uint8Array> {
  const renderer = await createGpuRenderer(device, 'rgba8unorm');
  const target = device.createTexture({
    size: [size.width, size.height],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
  });
  device.pushErrorScope('validation');
  renderer.render(scene, target);
  const bytesPerRow = 4 * size.width;
  const buffer = device.createBuffer({
    size: bytesPerRow * size.height,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyTextureToBuffer({ texture: target }, { buffer, bytesPerRow }, [size.width, size.height]);
  device.queue.submit([encoder.finish()]);
  await expect(device.popErrorScope()).resolves.toBeNull();
  await buffer.mapAsync(GPUMapMode.READ);
  return new Uint8Array(buffer.getMappedRange().slice(0));
}

function drawnIn2d(scene: Scene): Uint8ClampedArray {
  const canvas = document.createElement('canvas');
  canvas.width = size.width;
  canvas.height = size.height;
  createCanvasPainter(canvas).paint(scene);
  return canvas.getContext('2d')!.getImageData(0, 0, size.width, size.height).data;
}

test.each([
  ['small texels, edges tinted', 1, 0, 0],
  ['two pixels a texel, moved', 2, -100, -60],
  ['cells with gaps', 8, -16, -8],
] as const)('WebGPU and 2D paint the same picture: %s', async (_, texel, x, y) => {
  const scene = sceneWith(texel, x, y);
  const gpu = await drawnOnGpu(scene);
  const twin = drawnIn2d(scene);
  let worst = 0;
  gpu.forEach((value, k) => {
    worst = Math.max(worst, Math.abs(value - twin[k]!));
  });
  // Both round float colours to bytes, the canvas by truncation: at most two steps apart.
  expect(worst).toBeLessThanOrEqual(2);
});
