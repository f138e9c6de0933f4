import { MagnitudeEdgeError, type ErrorCode } from '../errors.ts';
import { requiredLimits } from './limits.ts';

/**
 * A device and what this library needs to know about it. `owned` devices were requested here and are destroyed by
 * {@link releaseDevice}; borrowed ones are left to their owner.
 */
export interface GpuContext {
  readonly device: GPUDevice;
  readonly owned: boolean;
  readonly adapterInfo: GPUAdapterInfo;
  /** Whether shaders run on the CPU; see {@link isSoftwareAdapter}. */
  readonly software: boolean;
  /**
   * Most floating point operations of one submit: some tens of milliseconds, so that watchdogs do not fire and the
   * page keeps rendering.
   */
  readonly operationsPerSubmit: number;
  /** Why the device was lost; undefined while it is alive. */
  readonly lostReason: string | undefined;
}

/**
 * Requests a device of the best adapter, with the limits of {@link requiredLimits}.
 *
 * @param options.gpu entry point; default `navigator.gpu` (in Node: the result of the `webgpu` package's `create([])`)
 * @throws `no-adapter`
 */
export async function acquireDevice(options: { gpu?: GPU | undefined } = {}): Promise<GpuContext> {
  const gpu = options.gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (gpu === undefined) {
    throw new MagnitudeEdgeError('no-adapter', 'This environment has no WebGPU (navigator.gpu is missing).');
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) {
    throw new MagnitudeEdgeError('no-adapter', 'WebGPU is available but has no adapter on this machine.');
  }
  try {
    const device = await adapter.requestDevice({ requiredLimits: requiredLimits(adapter.limits) });
    return watch(device, true, adapter.info);
  } catch (cause) {
    throw new MagnitudeEdgeError('no-adapter', 'The WebGPU adapter refused to create a device.', { cause });
  }
}

/** Wraps a device owned by the caller; it is never destroyed here. */
export function adoptDevice(device: GPUDevice): GpuContext {
  // Implementations of 2024 do not expose the adapter of a device.
  const { adapterInfo = unknownAdapter } = device as Partial<GPUDevice>;
  return watch(device, false, adapterInfo);
}

/** Destroys an owned device; leaves a borrowed one alone. Idempotent. */
export function releaseDevice(context: GpuContext): void {
  if (context.owned) context.device.destroy();
}

/** Milliseconds to wait for a loss to be reported, once a call has failed. */
const LOSS_REPORT_TIMEOUT = 500;

/**
 * Turns a failure caused by a lost device into `device-lost`. A loss is reported by a promise of its own, which may
 * settle after the calls that fail because of it, so this waits for it.
 *
 * @param error what was thrown; this package's errors that a loss cannot cause are returned as they are
 * @returns `device-lost` if the device is lost, else the error
 */
export async function lossOr(device: GPUDevice, error: unknown): Promise<unknown> {
  if (error instanceof MagnitudeEdgeError && !MAY_BE_LOSS.has(error.code)) return error;
  const loss = lossOf(device);
  if (loss.reason === undefined) {
    await Promise.race([loss.reported, new Promise((resolve) => setTimeout(resolve, LOSS_REPORT_TIMEOUT))]);
  }
  return loss.reason === undefined ? error : deviceLost({ lostReason: loss.reason }, error);
}

/** As {@link lossOr}, without waiting: for work that may fail for other reasons, such as an abort. */
export function lossBehind(context: Pick<GpuContext, 'lostReason'>, error: unknown): unknown {
  if (context.lostReason === undefined) return error;
  if (error instanceof MagnitudeEdgeError && !MAY_BE_LOSS.has(error.code)) return error;
  return deviceLost(context, error);
}

/** Error codes that calls on a lost device may fail with. */
const MAY_BE_LOSS: ReadonlySet<ErrorCode> = new Set(['gpu-validation', 'out-of-memory', 'runtime']);

/** @throws `device-lost` once the device is lost */
export function assertAlive(context: GpuContext): void {
  if (context.lostReason !== undefined) throw deviceLost(context);
}

/** The error for work on a lost device. */
export function deviceLost(context: Pick<GpuContext, 'lostReason'>, cause?: unknown): MagnitudeEdgeError {
  const reason = context.lostReason ?? 'no reason given';
  return new MagnitudeEdgeError('device-lost', `The GPU device was lost (${reason}); its data are gone.`, {
    cause,
    details: { reason },
  });
}

/** {@link GpuContext.operationsPerSubmit} of a small GPU (about 1 TFLOP/s), and of two CPU cores emulating one. */
const OPERATIONS_PER_SUBMIT = { hardware: 5e10, software: 2e8 };

const unknownAdapter = { vendor: '', architecture: '', device: '', description: '' } as GPUAdapterInfo;

/** Drivers that run shaders on the CPU: correct results, tens of times slower than a good CPU routine. */
const softwareDrivers = /swiftshader|llvmpipe|lavapipe|warp|microsoft basic render|software|\bcpu\b/i;

/** Whether the adapter runs shaders on the CPU: marked as a fallback, or a driver known to do so. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  // Older implementations lack isFallbackAdapter here, although the types declare it.
  if ((info as Partial<GPUAdapterInfo>).isFallbackAdapter === true) return true;
  return softwareDrivers.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`);
}

/** One line that names the adapter, for diagnostics. */
export function describeAdapter(info: GPUAdapterInfo): string {
  const parts = [info.vendor, info.architecture, info.device, info.description];
  const named = [...new Set(parts.filter((part) => part !== ''))].join(' ');
  return named === '' ? 'unnamed adapter' : named;
}

function watch(device: GPUDevice, owned: boolean, adapterInfo: GPUAdapterInfo): GpuContext {
  const software = isSoftwareAdapter(adapterInfo);
  const loss = lossOf(device);
  return {
    device,
    owned,
    adapterInfo,
    software,
    operationsPerSubmit: OPERATIONS_PER_SUBMIT[software ? 'software' : 'hardware'],
    get lostReason() {
      return loss.reason;
    },
  };
}

interface Loss {
  /** Undefined while the device is alive */
  reason: string | undefined;
  /** Resolves once it is lost */
  readonly reported: Promise<void>;
}

const losses = new WeakMap<GPUDevice, Loss>();

/** Listens for a device's loss once, however often it is adopted. */
function lossOf(device: GPUDevice): Loss {
  const known = losses.get(device);
  if (known !== undefined) return known;
  const loss: Loss = {
    reason: undefined,
    reported: device.lost.then(({ reason, message }) => {
      loss.reason = message === '' ? reason : `${reason}: ${message}`;
    }),
  };
  losses.set(device, loss);
  return loss;
}
