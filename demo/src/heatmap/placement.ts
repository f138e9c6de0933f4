import { levelCount, tileSize, type TileRequest } from './pyramid.ts';
import { levelFor, type PlotSize, type Viewport } from './viewport.ts';

/** Where a tile is drawn: its corner `x`, `y` in CSS pixels from the plot's corner, and `texel` pixels per texel. */
export interface Place {
  readonly key: string;
  readonly request: TileRequest;
  readonly x: number;
  readonly y: number;
  readonly texel: number;
}

/**
 * What to draw: the visible tiles of the fitting level, over the coarsest level as a background if they may be missing.
 */
export function placesInSight(
  nodes: number,
  at: Viewport,
  size: PlotSize,
): { ground: Place[]; fitting: Place[] } {
  const levels = levelCount(nodes);
  const level = levelFor(at.scale, levels);
  return {
    ground: level === levels - 1 ? [] : placesOf(levels - 1, nodes, at, size),
    fitting: placesOf(level, nodes, at, size),
  };
}

function placesOf(level: number, nodes: number, at: Viewport, size: PlotSize): Place[] {
  const cells = tileSize * 2 ** level;
  const texel = at.scale * 2 ** level;
  const last = Math.ceil(nodes / cells) - 1;
  const range = (start: number, length: number): [number, number] => [
    Math.max(0, Math.floor(start / cells)),
    Math.min(last, Math.floor((start + length / at.scale) / cells)),
  ];
  const [top, bottom] = range(at.row, size.height);
  const [left, right] = range(at.column, size.width);
  const places: Place[] = [];
  for (let row = top; row <= bottom; row++)
    for (let column = left; column <= right; column++)
      places.push({
        key: `${level}/${row}/${column}`,
        request: { level, row, column },
        x: (column * cells - at.column) * at.scale,
        y: (row * cells - at.row) * at.scale,
        texel,
      });
  return places;
}
