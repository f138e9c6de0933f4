import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { seeded } from '../../demo/src/graph/random.ts';
import { createCanvasPainter } from '../../demo/src/heatmap/canvas-painter.ts';
import { cellHasScore, cellMax, cellMin, packCell } from '../../demo/src/heatmap/cell.ts';
import { createGpuRenderer, uploader } from '../../demo/src/heatmap/gpu-renderer.ts';
import type { PlacedTile, Scene } from '../../demo/src/heatmap/painter.ts';
import { HeatmapPyramid, levelCount, tileSize, type TileRequest } from '../../demo/src/heatmap/pyramid.ts';
import { ScorePyramid } from '../../demo/src/heatmap/score-pyramid.ts';
import { ScoreHeatmap } from '../../demo/src/worker/score-heatmap.ts';
import type { EdgeScores, ScoreBuffers } from '../../src/index.ts';

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
  const tile: PlacedTile = { key: 'only', texels, x, y, texel };
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
  const renderer = await createGpuRenderer<PlacedTile>(device, 'rgba8unorm', uploader(device));
  const target = device.createTexture({
    size: [size.width, size.height],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
  });
  device.pushErrorScope('validation');
  renderer.render(scene, scene.tiles, target);
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

/** Scores on the device as the library lays them out: a row for each target, in panels of so many rows. */
function scoreBuffers(scores: Float32Array, nodes: number, panelRows: number): ScoreBuffers {
  const panels = [];
  const aggregated = [];
  for (let row = 0; row < nodes; row += panelRows) {
    const rows = Math.min(panelRows, nodes - row);
    const bits = new Uint32Array(rows * nodes);
    const values = new Float32Array(bits.buffer);
    for (let target = row; target < row + rows; target++)
      for (let source = 0; source < nodes; source++)
        values[(target - row) * nodes + source] = scores[source * nodes + target]!;
    bits.forEach((_, at) => {
      if (Number.isNaN(values[at])) bits[at] = 0x7fc00000;
    });
    const buffer = device.createBuffer({
      size: bits.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(buffer, 0, bits);
    panels.push({ row, rows });
    aggregated.push(buffer);
  }
  return { device, panels, aggregated, perPair: [] };
}

async function tileOnGpu(pyramid: ScorePyramid, request: TileRequest): Promise<Uint32Array> {
  const texture = device.createTexture({
    size: [tileSize, tileSize, 2],
    format: 'r32uint',
    usage: GPUTextureUsage.COPY_SRC | GPUTextureUsage.COPY_DST,
  });
  pyramid.write(request, texture, 1);
  const buffer = device.createBuffer({
    size: 4 * tileSize ** 2,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyTextureToBuffer({ texture, origin: [0, 0, 1] }, { buffer, bytesPerRow: 4 * tileSize }, [
    tileSize,
    tileSize,
  ]);
  device.queue.submit([encoder.finish()]);
  await buffer.mapAsync(GPUMapMode.READ);
  return new Uint32Array(buffer.getMappedRange().slice(0));
}

test('the pyramid made on the GPU from score panels is that of the host, at every level', async () => {
  // Levels 0 to 3; neither a multiple of a tile nor of a panel.
  const nodes = 1111;
  const random = seeded(3);
  const scores = Float32Array.from({ length: nodes * nodes }, (_, cell) =>
    cell % (nodes + 1) === 0 || random() < 0.2 ? Number.NaN : 1.8 * random() - 0.9,
  );
  const edges = Array.from({ length: 4000 }, () => {
    const source = Math.floor(random() * nodes);
    return [source, (source + 1 + Math.floor(random() * (nodes - 1))) % nodes] as const;
  });
  const flags = new Uint8Array(nodes * nodes);
  for (const [source, target] of edges) flags[source * nodes + target] = 1;
  const order = Uint32Array.from({ length: nodes }, (_, place) => (place * 7) % nodes);
  device.pushErrorScope('validation');
  const onHost = new HeatmapPyramid({ nodes, scores, edges: flags, isSigned: true, extent: 0.9 }, order);
  // Scores of a node with itself are there, and must stay out of sight.
  const withSelf = scores.map((score, cell) => (cell % (nodes + 1) === 0 ? 0.99 : score));
  const onGpu = await ScorePyramid.build(scoreBuffers(withSelf, nodes, 300), {
    nodes,
    order,
    edges,
    excludeSelf: true,
  });
  let [steps, tiles] = [0, 0];
  for (let level = 0; level < levelCount(nodes); level++) {
    const last = Math.ceil(nodes / 2 ** level / tileSize) - 1;
    for (const [row, column] of [
      [0, 0],
      [last, 0],
      [0, last],
      [last, last],
    ] as const) {
      const found = await tileOnGpu(onGpu, { level, row, column });
      const expected = onHost.tile({ level, row, column });
      expect(found.map((cell) => cell >>> 30)).toEqual(expected.map((cell) => cell >>> 30));
      found.forEach((cell, at) => {
        if (!cellHasScore(cell)) return;
        const other = expected[at]!;
        steps = Math.max(
          steps,
          Math.abs(cellMin(cell) - cellMin(other)),
          Math.abs(cellMax(cell) - cellMax(other)),
        );
      });
      tiles++;
    }
  }
  expect(tiles).toBe(16);
  // The host rounds in float64, the GPU in float32: where a score lies between two steps, they may take different ones.
  expect(steps * 16383).toBeLessThan(1.01);
  expect(await onGpu.extent()).toBeCloseTo(0.9, 3);
  onGpu.release();
  await expect(device.popErrorScope()).resolves.toBeNull();
});

test('a heatmap whose renderer cannot be made leaves nothing on the device, and the scores for another try', async () => {
  const nodes = 20;
  const gpu = scoreBuffers(
    Float32Array.from({ length: nodes ** 2 }, (_, at) => at / 400),
    nodes,
    nodes,
  );
  const release = vi.fn();
  const scores = { nodes, pairs: 1, scoredTargets: nodes, gpu, release } as unknown as EdgeScores;
  const heatmap = new ScoreHeatmap();
  const number = await heatmap.hold(scores, gpu, { nodes, edges: [], excludeSelf: true });
  const create = vi.spyOn(device, 'createBuffer');
  const destroy = vi.spyOn(GPUBuffer.prototype, 'destroy');
  const compile = vi.spyOn(device, 'createRenderPipelineAsync');
  compile.mockRejectedValueOnce(new Error('no renderer today'));
  const order = Uint32Array.from({ length: nodes }, (_, place) => place);
  try {
    await expect(heatmap.lay(number, order)).rejects.toThrow('no renderer today');
    const made = create.mock.results.map(({ value }) => value as GPUBuffer);
    expect(made.length).toBeGreaterThan(0);
    expect(made.filter((buffer) => !destroy.mock.contexts.includes(buffer))).toEqual([]);
  } finally {
    for (const spy of [create, destroy, compile]) spy.mockRestore();
  }
  expect(release).not.toHaveBeenCalled();
  // The largest score off the diagonal is 398 / 400, to the precision of a texel.
  expect((await heatmap.lay(number, order))!.extent).toBeCloseTo(398 / 400, 2);
  await heatmap.release();
  expect(release).toHaveBeenCalledOnce();
});
