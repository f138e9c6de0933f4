import type { Camera, FrameSize } from './camera.ts';
import { networkShapes, type Look } from './picture.ts';
import type { Scene } from './scene.ts';
import { drawShapes } from './shapes.ts';

/** How a scene is viewed, without its marks and names. */
export interface GroundView {
  /** x, y of each node: some may have moved since the scene was made. */
  readonly positions: Float32Array;
  readonly camera: Camera;
  readonly size: FrameSize;
  readonly look: Look;
  /** Nodes in focus; null for all. */
  readonly near: Uint8Array | null;
  /** Screen pixels per CSS pixel. */
  readonly pixelRatio: number;
}

/** Draws nodes and edges; runs in a worker, so that thousands of them do not block the page. */
export function paintGround(
  scene: Scene,
  { positions, camera, size, look, near, pixelRatio }: GroundView,
): ImageBitmap {
  const pixels = (length: number) => Math.max(1, Math.round(length * pixelRatio));
  const canvas = new OffscreenCanvas(pixels(size.width), pixels(size.height));
  const context = canvas.getContext('2d')!;
  context.scale(pixelRatio, pixelRatio);
  const none = { kind: 'none' } as const;
  const marks = { selection: none, lit: none, near };
  drawShapes(context, networkShapes({ scene: { ...scene, positions }, camera, size, look, marks }), '');
  return canvas.transferToImageBitmap();
}
