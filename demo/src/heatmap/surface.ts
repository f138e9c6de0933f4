import { fitWorker, tableWorker, unheard } from '../state/workers.ts';
import { latestOnly } from '../state/latest-only.ts';
import { moved } from '../worker/rpc.ts';
import { createCanvasPainter } from './canvas-painter.ts';
import { createGpuPainter } from './gpu-painter.ts';
import type { Painter, View } from './painter.ts';
import { TileStore } from './tile-store.ts';

/** A canvas and what draws the square on it. */
export interface Surface {
  readonly canvas: HTMLCanvasElement;
  /** Drops what was cached, because the table or its order is another. */
  renew(nodes: number): void;
  draw(view: View): void;
  /** The view on a separate canvas, for a file. */
  picture(view: View): Promise<HTMLCanvasElement>;
  release(): void;
}

/** Drawn by the fit's worker directly from the scores on its GPU. `onLost` is called once it no longer can. */
export function scoreSurface(onLost: () => void): Surface {
  const canvas = document.createElement('canvas');
  canvas.dataset.drawnFrom = 'scores';
  const offscreen = canvas.transferControlToOffscreen();
  const attached = fitWorker.attachHeatmap(moved(offscreen, [offscreen]));
  unheard(attached);
  let wanted: View | null = null;
  // Frames are not queued: while one is drawn, only the latest request is kept.
  const refresh = latestOnly(async () => {
    await attached;
    if (wanted && !(await fitWorker.drawHeatmap(wanted))) onLost();
  }, onLost);
  return {
    canvas,
    renew: () => undefined,
    draw(view) {
      wanted = view;
      refresh();
    },
    async picture(view) {
      const pixels = await fitWorker.heatmapPicture(view);
      const drawn = document.createElement('canvas');
      if (!pixels) return drawn;
      drawn.width = pixels.width;
      drawn.height = pixels.height;
      drawn.getContext('2d')!.putImageData(new ImageData(pixels.rgba, pixels.width, pixels.height), 0, 0);
      return drawn;
    },
    release() {
      wanted = null;
    },
  };
}

/** Drawn from the rows of the table, tile by tile: on the GPU if there is one, else in 2D. */
export async function tableSurface(onTile: () => void, onLost: () => void, inGpu = true): Promise<Surface> {
  const canvas = document.createElement('canvas');
  canvas.dataset.drawnFrom = 'table';
  canvas.addEventListener('contextrestored', onTile);
  const painter: Painter =
    (inGpu ? await createGpuPainter(canvas, onLost).catch(() => null) : null) ?? createCanvasPainter(canvas);
  let tiles: TileStore | null = null;
  const sized = (on: HTMLCanvasElement, { size, ratio }: View) => {
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (on.width !== width) on.width = width;
    if (on.height !== height) on.height = height;
  };
  return {
    canvas,
    renew(nodes) {
      painter.forget();
      tiles = new TileStore(nodes, tableWorker.tile, onTile);
    },
    draw(view) {
      sized(canvas, view);
      painter.paint({ ...view, tiles: tiles?.placed(view.at, view.size) ?? [] });
    },
    async picture(view) {
      const drawn = document.createElement('canvas');
      sized(drawn, view);
      const whole = (await tiles?.whole(view.at, view.size)) ?? [];
      createCanvasPainter(drawn).paint({ ...view, tiles: whole });
      return drawn;
    },
    release() {
      painter.release();
    },
  };
}
