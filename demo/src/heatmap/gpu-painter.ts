import { createGpuRenderer } from './gpu-renderer.ts';
import type { Painter } from './painter.ts';

/**
 * A painter on the GPU, or null where there is none. A software adapter counts as none: it draws slower than the 2D
 * context does, and the fit may want its cores.
 */
export async function createGpuPainter(
  canvas: HTMLCanvasElement,
  onLost: () => void,
): Promise<Painter | null> {
  if (!('gpu' in navigator)) return null;
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter || adapter.info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(adapter.info.architecture))
    return null;
  const device = await adapter.requestDevice();
  const format = navigator.gpu.getPreferredCanvasFormat();
  const renderer = await createGpuRenderer(device, format);
  const context = canvas.getContext('webgpu');
  if (!context) return null;
  context.configure({ device, format, alphaMode: 'opaque' });
  let released = false;
  void device.lost.then(() => {
    if (!released) onLost();
  });
  return {
    kind: 'webgpu',
    paint(scene) {
      renderer.render(scene, context.getCurrentTexture());
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
