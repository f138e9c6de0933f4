import type { PlotSize } from './viewport.ts';

/** Colours as red, green, blue in 0..1. */
export type Rgb = readonly [number, number, number];

export interface Palette {
  readonly negative: Rgb;
  readonly middle: Rgb;
  readonly positive: Rgb;
  /** Pairs without a score. */
  readonly none: Rgb;
  /** The mark on edges of the graph. */
  readonly mark: Rgb;
}

/** A tile in place: `x`, `y` of its corner in CSS pixels from the plot's corner, `texel` pixels for each texel. */
export interface PlacedTile {
  readonly key: string;
  readonly texels: Uint32Array;
  readonly x: number;
  readonly y: number;
  readonly texel: number;
  /** Texels are single cells. */
  readonly isFinest: boolean;
}

export interface Scene {
  readonly tiles: readonly PlacedTile[];
  readonly size: PlotSize;
  readonly palette: Palette;
  /** The score at which colours are full. */
  readonly extent: number;
  readonly marksEdges: boolean;
}

/** Draws tiles onto a canvas: on the GPU where there is one, else with the 2D context. */
export interface Painter {
  readonly kind: 'webgpu' | 'canvas2d';
  paint(scene: Scene): void;
  /** Forgets tiles that were uploaded: they belong to an older table or order. */
  forget(): void;
  release(): void;
}

/** Cells from this many pixels on get a gap around them and a dot for an edge. */
export const roomyCell = 6;
