import { checkOneOf } from '../check-one-of.ts';
import { MagnitudeEdgeError, type ErrorCode } from '../errors.ts';
import {
  acquireDevice,
  adoptDevice,
  describeAdapter,
  releaseDevice,
  type GpuContext,
} from '../gpu/device.ts';
import { createCpuEngine } from './cpu/cpu-engine.ts';
import type { BackendName, Engine, EngineShape, Precision } from './engine.ts';
import { createWebGpuEngine } from './webgpu/webgpu-engine.ts';

/** An engine, and why it was chosen. */
export interface EngineChoice {
  readonly engine: Engine;
  /** Why other backends were not used: one sentence each */
  readonly fallbacks: readonly string[];
  /** The device that the engine runs on, the caller's or its own; undefined on the CPU */
  readonly device: GPUDevice | undefined;
  /** Whether the engine's device was lost, and all samples with it */
  readonly lost: boolean;
  /** Frees the engine, and its device unless that is the caller's. Idempotent. */
  readonly release: () => Promise<void>;
}

/** Device and precision of an engine. */
export interface DeviceOptions {
  /** The device for WebGPU, borrowed; if absent, one is requested. */
  readonly device?: GPUDevice | undefined;
  /** Precision of the sums. Default 'exact'. */
  readonly precision?: Precision | undefined;
}

/**
 * Makes an engine. 'auto' takes WebGPU on a hardware adapter. It takes the CPU if there is no adapter or only a
 * software one (on which shaders are many times slower), or if the device fails its self-test, is lost at once or lacks
 * memory for the sums.
 *
 * @throws `no-adapter` if 'webgpu' is requested and not available; `invalid-argument` for an unknown precision
 */
export async function createEngine(
  backend: 'auto' | BackendName,
  shape: EngineShape,
  { device, precision = 'exact' }: DeviceOptions = {},
): Promise<EngineChoice> {
  checkOneOf('precision', precision, ['exact', 'fast']);
  const onCpu = (...fallbacks: string[]): EngineChoice =>
    choice(createCpuEngine(shape, { precision }), fallbacks);
  if (backend === 'cpu') return onCpu();
  let context: GpuContext;
  try {
    context = device ? adoptDevice(device) : await acquireDevice();
  } catch (error) {
    if (backend === 'webgpu' || !(error instanceof MagnitudeEdgeError) || error.code !== 'no-adapter')
      throw error;
    return onCpu(`${error.message} The statistics are computed on the CPU.`);
  }
  if (backend === 'auto' && context.software) {
    releaseDevice(context);
    return onCpu(
      `The adapter '${describeAdapter(context.adapterInfo)}' runs shaders on the CPU, where the CPU backend is faster.`,
    );
  }
  try {
    const engine = await createWebGpuEngine({ device: context.device, shape, precision });
    return choice(engine, [], context);
  } catch (error) {
    releaseDevice(context);
    const unfit = error instanceof MagnitudeEdgeError && UNFIT.has(error.code);
    if (backend === 'webgpu' || !unfit) throw error;
    return onCpu(`${error.message} The statistics are computed on the CPU.`);
  }
}

/** Errors of a device that is too small, too inexact, or lost at once; 'auto' then takes the CPU. */
const UNFIT: ReadonlySet<ErrorCode> = new Set(['gpu-validation', 'out-of-memory', 'device-lost']);

function choice(engine: Engine, fallbacks: readonly string[], context?: GpuContext): EngineChoice {
  return {
    engine,
    fallbacks,
    device: context?.device,
    get lost() {
      return context?.lostReason !== undefined;
    },
    release: async () => {
      await engine.release();
      if (context) releaseDevice(context);
    },
  };
}
