import { MagnitudeEdgeError } from '../errors.ts';
import {
  acquireDevice,
  adoptDevice,
  describeAdapter,
  releaseDevice,
  type GpuContext,
} from '../gpu/device.ts';
import { nodeProcess } from '../node-process.ts';
import type { ExecutionProvider } from './runtime.ts';

/** Where a model runs, and why. */
export interface ExecutionPlace {
  readonly provider: ExecutionProvider;
  /** The device the model runs on; undefined with 'wasm'. Released by the model. */
  readonly gpu: GpuContext | undefined;
  /** Why other places were not used: one sentence each. */
  readonly fallbacks: readonly string[];
}

/**
 * Chooses where the model runs. 'auto' takes WebGPU on a hardware adapter. It takes wasm if there is no adapter or only
 * a software one, on which the provider is many times slower than wasm.
 * @param device the caller's, borrowed
 * @throws MagnitudeEdgeError `no-adapter` if 'webgpu' is requested and not available
 */
export async function chooseExecution(
  requested: 'auto' | ExecutionProvider,
  device?: GPUDevice,
): Promise<ExecutionPlace> {
  const onWasm = (...fallbacks: string[]): ExecutionPlace => ({
    provider: 'wasm',
    gpu: undefined,
    fallbacks,
  });
  if (requested === 'wasm') return onWasm();
  if (nodeProcess()) {
    if (requested === 'auto') return onWasm();
    throw new MagnitudeEdgeError(
      'no-adapter',
      "executionProvider 'webgpu' needs a browser: in Node, onnxruntime-web runs models with 'wasm'.",
    );
  }
  if (requested === 'webgpu') {
    return { provider: 'webgpu', gpu: device ? adoptDevice(device) : await acquireDevice(), fallbacks: [] };
  }
  let gpu: GpuContext;
  try {
    gpu = device ? adoptDevice(device) : await acquireDevice();
  } catch (error) {
    if (!(error instanceof MagnitudeEdgeError) || error.code !== 'no-adapter') throw error;
    return onWasm(`${error.message} The model runs on wasm.`);
  }
  if (!gpu.software) return { provider: 'webgpu', gpu, fallbacks: [] };
  const adapter = describeAdapter(gpu.adapterInfo);
  releaseDevice(gpu);
  return onWasm(
    `The adapter '${adapter}' runs shaders on the CPU, where wasm is faster. The model runs on wasm.`,
  );
}
