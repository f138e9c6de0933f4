import { cellHasEdge, shownScore } from './cell.ts';
import { roomyCell, type Painter, type PlacedTile, type Rgb, type Scene } from './painter.ts';
import { tileSize } from './pyramid.ts';

/** Images cached; each is 256 KiB. */
const kept = 64;

/** The painter for browsers without WebGPU: draws the same picture as heatmap.wgsl. */
export function createCanvasPainter(canvas: HTMLCanvasElement): Painter {
  const context = canvas.getContext('2d', { alpha: false })!;
  const images = new Map<string, OffscreenCanvas>();
  let look = '';

  const imageOf = (tile: PlacedTile, scene: Scene): OffscreenCanvas => {
    let image = images.get(tile.key);
    if (!image) {
      image = tileImage(tile.texels, scene, !roomy(tile));
      if (images.size === kept) images.delete(images.keys().next().value!);
      images.set(tile.key, image);
    }
    return image;
  };

  return {
    kind: 'canvas2d',
    paint(scene) {
      const ratio = canvas.width / scene.size.width;
      const scale = scene.tiles[0]?.texel ?? 0;
      const nextLook = JSON.stringify([scene.palette, scene.extent, scene.marksEdges, scale >= roomyCell]);
      if (look !== nextLook) images.clear();
      look = nextLook;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.imageSmoothingEnabled = false;
      context.fillStyle = css(scene.palette.none);
      context.fillRect(0, 0, scene.size.width, scene.size.height);
      for (const tile of scene.tiles) {
        const side = tileSize * tile.texel;
        context.drawImage(imageOf(tile, scene), tile.x, tile.y, side, side);
        if (roomy(tile)) drawCells(context, tile, scene);
      }
    },
    forget() {
      images.clear();
    },
    release() {
      images.clear();
    },
  };
}

const roomy = (tile: PlacedTile) => tile.texel >= roomyCell;
const css = ([r, g, b]: Rgb) => `rgb(${r * 255} ${g * 255} ${b * 255})`;
const mix = (a: Rgb, b: Rgb, t: number): Rgb => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

function tileImage(texels: Uint32Array, { palette, extent, marksEdges }: Scene, tints: boolean) {
  const image = new ImageData(tileSize, tileSize);
  texels.forEach((cell, at) => {
    const score = shownScore(cell);
    let colour = palette.none;
    if (!Number.isNaN(score)) {
      const strength = Math.min(Math.abs(score) / extent, 1);
      colour = mix(palette.middle, score < 0 ? palette.negative : palette.positive, strength);
    }
    if (tints && marksEdges && cellHasEdge(cell)) colour = mix(colour, palette.mark, 0.4);
    image.data.set([colour[0] * 255, colour[1] * 255, colour[2] * 255, 255], 4 * at);
  });
  const canvas = new OffscreenCanvas(tileSize, tileSize);
  canvas.getContext('2d')!.putImageData(image, 0, 0);
  return canvas;
}

/** Draws gaps between cells, and dots on edges of the graph, if cells are large enough. */
function drawCells(context: CanvasRenderingContext2D, tile: PlacedTile, scene: Scene): void {
  const { texel, x, y, texels } = tile;
  const range = (start: number, length: number) => [
    Math.max(0, Math.floor(-start / texel)),
    Math.min(tileSize, Math.ceil((length - start) / texel)),
  ];
  const [left, right] = range(x, scene.size.width) as [number, number];
  const [top, bottom] = range(y, scene.size.height) as [number, number];
  context.fillStyle = css(scene.palette.none);
  for (let k = left; k < right; k++) context.fillRect(x + (k + 1) * texel - 1, 0, 1, scene.size.height);
  for (let i = top; i < bottom; i++) context.fillRect(0, y + (i + 1) * texel - 1, scene.size.width, 1);
  if (!scene.marksEdges) return;
  context.fillStyle = css(scene.palette.mark);
  context.beginPath();
  for (let i = top; i < bottom; i++) {
    for (let k = left; k < right; k++) {
      if (!cellHasEdge(texels[i * tileSize + k]!)) continue;
      const [cx, cy] = [x + (k + 0.5) * texel, y + (i + 0.5) * texel];
      context.moveTo(cx, cy);
      context.arc(cx, cy, Math.max(1.5, texel * 0.16), 0, 2 * Math.PI);
    }
  }
  context.fill();
}
