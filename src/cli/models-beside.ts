import { availableThreads } from '../available-threads.ts';
import { runModelsBeside } from '../model/runtime-thread.ts';

/** Has models run beside this thread, where there may be more than one. */
export function startModelsBeside(): void {
  if (availableThreads() > 1) runModelsBeside(import.meta.resolve('onnxruntime-web'));
}
