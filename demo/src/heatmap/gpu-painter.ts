import { createGpuRenderer, uploader } from './gpu-renderer.ts';
import type { Painter, PlacedTile } from './painter.ts';
import { isSoftware } from './software-adapter.ts';

/**
 * A painter on the GPU, or null if there is none. A software adapter counts as none: it draws slower than the 2D
 * context, and the fit may need its cores.
 */
export async function createGpuPainter(
  canvas: HTMLCanvasElement,
  onLost: () => void,
): Promise<Painter | null> {
  if (!('gpu' in navigator)) return null;
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter || isSoftware(adapter.info)) return null;
  const device = await adapter.requestDevice();
  const format = navigator.gpu.getPreferredCanvasFormat();
  const renderer = await createGpuRenderer<PlacedTile>(device, format, uploader(device)).catch(() => null);
  const context = renderer && canvas.getContext('webgpu');
  if (!context) {
    device.destroy();
    return null;
  }
  context.configure({ device, format, alphaMode: 'opaque' });
  let released = false;
  void device.lost.then(() => {
    if (!released) onLost();
  });
  return {
    kind: 'webgpu',
    paint(scene) {
      renderer.render(scene, scene.tiles, context.getCurrentTexture());
    },
    forget() {
      renderer.forget();
    },
    release() {
      released = true;
      context.unconfigure();
      device.destroy();
    },
  };
}
