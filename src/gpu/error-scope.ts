import { MagnitudeEdgeError } from '../errors.ts';
import { assertAlive, deviceLost, lossOr, type GpuContext } from './device.ts';

/**
 * Runs GPU calls inside error scopes. The scopes are popped at once and awaited later, so that they do not capture
 * calls made meanwhile; `settled` rejects with the GPU's errors of these calls and no others.
 *
 * @param what names the work, for the message
 * @throws `device-lost`; through `settled`: `gpu-validation`, `out-of-memory`, `device-lost`
 */
export function scoped<T>(
  context: GpuContext,
  what: string,
  work: () => T,
): { readonly result: T; readonly settled: Promise<void> } {
  assertAlive(context);
  const { device } = context;
  device.pushErrorScope('out-of-memory');
  device.pushErrorScope('validation');
  const pop = (): Promise<GPUError | null>[] => [device.popErrorScope(), device.popErrorScope()];
  try {
    const result = work();
    return { result, settled: settle(context, what, pop()) };
  } catch (error) {
    for (const popped of pop()) popped.catch(ignore);
    throw error;
  }
}

function ignore(): void {
  // The error that the work threw says more.
}

/**
 * Creates something that owns GPU memory, and returns it once the GPU has reported no error; else destroys it.
 *
 * @param what names it, for the message
 * @throws `gpu-validation`, `out-of-memory`, `device-lost`
 */
export async function created<T extends { destroy(): void }>(
  context: GpuContext,
  what: string,
  make: () => T,
): Promise<T> {
  const { result, settled } = scoped(context, what, make);
  try {
    await settled;
  } catch (error) {
    result.destroy();
    throw error;
  }
  return result;
}

async function settle(
  context: GpuContext,
  what: string,
  popped: readonly Promise<GPUError | null>[],
): Promise<void> {
  const [validation, memory] = await alive(context, Promise.all(popped));
  assertAlive(context);
  if (memory) {
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `The GPU does not have enough memory for ${what}: ${memory.message}`,
    );
  }
  if (validation) {
    throw new MagnitudeEdgeError('gpu-validation', `The GPU refused ${what}: ${validation.message}`);
  }
}

/** Awaits a promise of the GPU; if the device is lost, a rejection becomes `device-lost`. */
export async function alive<T>(context: GpuContext, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (cause) {
    const error = await lossOr(context.device, cause);
    // This package never aborts a mapping itself: buffers live until they have been read.
    if (error instanceof DOMException && error.name === 'AbortError') throw deviceLost(context, cause);
    throw error;
  }
}
