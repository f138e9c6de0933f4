import type { Scale } from './scale.ts';

/**
 * Paints any number of points: up to 4,000 as discs, more as counts per pixel with logarithmic opacity, so that single
 * points stay visible next to dense clusters.
 */
export function paintPoints(
  context: CanvasRenderingContext2D,
  x: Scale,
  y: Scale,
  area: { readonly width: number; readonly height: number },
  points: {
    readonly xs: ArrayLike<number>;
    readonly ys: ArrayLike<number>;
    readonly rows: Uint32Array;
    /** The few points that matter most: drawn as discs even if the others are counted. */
    readonly best?: Uint32Array;
  },
  colour: string,
): void {
  const { xs, ys, rows } = points;
  if (rows.length <= 4000) {
    context.fillStyle = colour;
    context.globalAlpha = rows.length > 800 ? 0.45 : 0.7;
    for (const row of rows) {
      context.beginPath();
      context.arc(x(xs[row]!), y(ys[row]!), rows.length > 800 ? 1.8 : 2.6, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
    return;
  }
  const width = Math.ceil(area.width);
  const height = Math.ceil(area.height);
  const counts = new Uint32Array(width * height);
  let most = 0;
  for (const row of rows) {
    const px = Math.floor(x(xs[row]!));
    const py = Math.floor(y(ys[row]!));
    if (px < 0 || py < 0 || px >= width || py >= height) continue;
    most = Math.max(most, ++counts[py * width + px]!);
  }
  const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  const image = new ImageData(width, height);
  counts.forEach((count, pixel) => {
    if (count === 0) return;
    const opacity = 0.35 + 0.65 * (Math.log(1 + count) / Math.log(1 + most));
    image.data.set([r, g, b, 255 * opacity], 4 * pixel);
  });
  const layer = new OffscreenCanvas(width, height);
  layer.getContext('2d')!.putImageData(image, 0, 0);
  context.drawImage(layer, 0, 0, width, height);
  context.fillStyle = colour;
  for (const row of points.best ?? []) {
    context.beginPath();
    context.arc(x(xs[row]!), y(ys[row]!), 1.6, 0, 2 * Math.PI);
    context.fill();
  }
}
