import runtime from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { isSoftware } from '../heatmap/software-adapter.ts';
import { params } from './params.ts';

/**
 * Downloads the runtime for the CPU while the worker that will request it is still being downloaded itself: it is three
 * quarters of the bytes of a first visit. The browser serves both requests from one response. With a GPU the library
 * loads another build.
 */
export async function downloadRuntimeEarly(): Promise<void> {
  if (params.peek().executionProvider === 'webgpu') return;
  const cache = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  // A service worker has it already.
  if (cache?.controller) return;
  try {
    const gpu = navigator.gpu as GPU | undefined;
    const adapter = await gpu?.requestAdapter();
    if (adapter && !isSoftware(adapter.info)) return;
    const { body } = await fetch(runtime);
    await body?.pipeTo(new WritableStream());
  } catch {
    // The library requests it again, and reports what goes wrong.
  }
}
