/**
 * The visible part of the square, in CSS pixels: `scale` pixels per cell, with cell (row, column) at the plot's corner.
 */
export interface Viewport {
  readonly scale: number;
  readonly row: number;
  readonly column: number;
}

/** Size of the plot, without the gutters for labels. */
export interface PlotSize {
  readonly width: number;
  readonly height: number;
}

export const largestScale = 64;

/** The whole square, as large as fits. */
export function fitted(nodes: number, size: PlotSize): Viewport {
  const scale = Math.min(Math.min(size.width, size.height) / nodes, largestScale);
  return { scale, row: 0, column: 0 };
}

/** Zooms by `factor` and keeps the cell under (x, y) where it is. */
export function zoomed(at: Viewport, factor: number, x: number, y: number, nodes: number, size: PlotSize) {
  const least = fitted(nodes, size).scale;
  const scale = Math.min(Math.max(at.scale * factor, least), largestScale);
  const row = at.row + y / at.scale - y / scale;
  const column = at.column + x / at.scale - x / scale;
  return bounded({ scale, row, column }, nodes, size);
}

/** Moves by pixels: positive values reveal what lies to the right and below. */
export function panned(at: Viewport, x: number, y: number, nodes: number, size: PlotSize): Viewport {
  return bounded({ ...at, row: at.row + y / at.scale, column: at.column + x / at.scale }, nodes, size);
}

/** Moves just far enough to show a cell. */
export function revealing(
  at: Viewport,
  row: number,
  column: number,
  nodes: number,
  size: PlotSize,
): Viewport {
  const along = (start: number, cell: number, length: number) => {
    const seen = length / at.scale;
    if (cell < start) return cell - Math.min(2, seen / 4);
    return cell + 1 > start + seen ? cell + 1 - seen + Math.min(2, seen / 4) : start;
  };
  const moved = {
    scale: at.scale,
    row: along(at.row, row, size.height),
    column: along(at.column, column, size.width),
  };
  return bounded(moved, nodes, size);
}

/** Clamps the viewport to the border of the square. */
function bounded({ scale, row, column }: Viewport, nodes: number, size: PlotSize): Viewport {
  const clamp = (start: number, length: number) =>
    Math.min(Math.max(start, 0), Math.max(0, nodes - length / scale));
  return { scale, row: clamp(row, size.height), column: clamp(column, size.width) };
}

/** The level whose texels are at least one pixel: finer levels would flicker, coarser ones would blur. */
export function levelFor(scale: number, levels: number): number {
  return Math.min(Math.max(Math.ceil(-Math.log2(scale)), 0), levels - 1);
}
