import type { EdgeColumns } from '../edges/edge-columns.ts';
import { levelCount } from './pyramid.ts';
import { levelFor, type PlotSize, type Viewport } from './viewport.ts';

/** The rows that pass the filters, and the places of their nodes. */
export interface Passing {
  readonly table: EdgeColumns;
  /** Rows that pass. */
  readonly rows: Uint32Array;
  /** Place of each node in the order. */
  readonly placeOf: Uint32Array;
}

/** Opacity of the cover over what does not pass. */
const cover = 0.82;

/**
 * Covers the cells of pairs that do not pass with the background colour. When zoomed out, a texel stays uncovered if
 * any of its cells passes, so that a few pairs among many remain visible.
 *
 * @param context its origin is the plot's corner, in CSS pixels
 */
export function dimTheRest(
  context: CanvasRenderingContext2D,
  { table, rows, placeOf }: Passing,
  at: Viewport,
  size: PlotSize,
  ground: readonly [red: number, green: number, blue: number],
): void {
  const nodes = placeOf.length;
  const cells = 2 ** levelFor(at.scale, levelCount(nodes));
  const range = (start: number, length: number): [first: number, count: number] => {
    const first = Math.floor(start / cells);
    const last = Math.ceil(Math.min(nodes, start + length / at.scale) / cells);
    return [first, Math.max(1, last - first)];
  };
  const [top, height] = range(at.row, size.height);
  const [left, width] = range(at.column, size.width);
  const texels = new Uint32Array(width * height).fill(packed(ground, cover));
  for (const row of rows) {
    if (row >= table.rows) continue;
    const y = Math.floor(placeOf[table.src[row]!]! / cells) - top;
    const x = Math.floor(placeOf[table.dst[row]!]! / cells) - left;
    if (x >= 0 && y >= 0 && x < width && y < height) texels[y * width + x] = 0;
  }
  const layer = new OffscreenCanvas(width, height);
  layer
    .getContext('2d')!
    .putImageData(new ImageData(new Uint8ClampedArray(texels.buffer), width, height), 0, 0);
  const side = cells * at.scale;
  context.imageSmoothingEnabled = false;
  context.drawImage(
    layer,
    left * side - at.column * at.scale,
    top * side - at.row * at.scale,
    width * side,
    height * side,
  );
}

/** One pixel as ImageData has it, least significant byte first. */
const packed = ([red, green, blue]: readonly [number, number, number], opacity: number): number =>
  ((Math.round(255 * opacity) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
