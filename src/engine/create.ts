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

/** An engine, and why it is this one. */
export interface EngineChoice {
  readonly engine: Engine;
  /** What was looked for and not taken: a sentence each */
  readonly fallbacks: readonly string[];
  /** The device that the engine runs on, the caller's or its own; undefined on the CPU */
  readonly device: GPUDevice | undefined;
  /** Whether the engine's device has gone away, and all samples with it */
  readonly lost: boolean;
  /** Frees the engine, and the device it runs on unless that is the caller's. Idempotent. */
  readonly release: () => Promise<void>;
}

/** How an engine works. */
export interface DeviceOptions {
  /** The device to run on, borrowed, where it is one on WebGPU; another one is asked for where it is missing. */
  readonly device?: GPUDevice | undefined;
  /** Of what is summed. Default 'exact'. */
  readonly precision?: Precision | undefined;
}

/**
 * Makes an engine. 'auto' takes WebGPU on a hardware adapter, and the CPU where there is none or only a software one
 * (on which shaders are many times slower), or where the device fails its self-test, is lost at once or has no room for the sums.
 *
 * @throws `no-adapter` when 'webgpu' is asked for and cannot be had; `invalid-argument` for a precision that there is not
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

/** How a device turns out to be too small or too inexact, or breaks down at once; 'auto' then takes the CPU. */
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
