import type { Place } from './placement.ts';
import type { PlotSize, Viewport } from './viewport.ts';

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

/** How a heatmap looks, whatever part of it is shown. */
export interface Look {
  readonly size: PlotSize;
  readonly palette: Palette;
  /** The score at which colours are saturated. */
  readonly extent: number;
  readonly marksEdges: boolean;
}

/** What is shown: all that a renderer needs besides the scores. */
export interface View extends Look {
  readonly at: Viewport;
  /** Canvas pixels per CSS pixel. */
  readonly ratio: number;
}

/** A tile in place, with its texels. */
export interface PlacedTile extends Omit<Place, 'request'> {
  readonly texels: Uint32Array;
}

export interface Scene extends Look {
  readonly tiles: readonly PlacedTile[];
}

/** Draws tiles from the host onto a canvas: on the GPU if there is one, else with the 2D context. */
export interface Painter {
  readonly kind: 'webgpu' | 'canvas2d';
  paint(scene: Scene): void;
  /** Drops uploaded tiles: they belong to an older table or order. */
  forget(): void;
  release(): void;
}

/** Cell size in pixels from which cells have a gap around them and a dot for an edge. */
export const roomyCell = 6;
