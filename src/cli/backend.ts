import type { BackendName, Precision } from '../engine/engine.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import {
  acquireDevice,
  describeAdapter,
  isSoftwareAdapter,
  releaseDevice,
  type GpuContext,
} from '../gpu/device.ts';
import type { MagnitudeEdgeInferer } from '../inferer/inferer.ts';
import type { Arguments } from './arguments.ts';

/** Options of all commands that compute statistics or scores. */
export const backendOptions = { backend: { type: 'string' }, precision: { type: 'string' } } as const;

/** @param what the quantity computed: statistics of samples, or scores of statistics */
export function backendHelp(what: 'statistics' | 'scores'): string {
  const precision =
    what === 'statistics'
      ? [
          'of sums and channel regressions on WebGPU and of plain correlations on',
          'the CPU: as in float64, or faster in float32',
        ]
      : ['of sums and channel regressions on WebGPU: as in float64, or several', 'times faster in float32'];
  return [
    `${`  --backend auto|webgpu|cpu            where the ${what} are computed`.padEnd(86)}(auto)`,
    `  --precision exact|fast               ${precision[0]}`,
    `${' '.repeat(39)}${precision[1]}`.padEnd(86) + '(exact)',
  ].join('\n');
}

/** @throws UsageError */
export function readBackend(given: Arguments): { backend: 'auto' | BackendName; precision: Precision } {
  return {
    backend: given.choice('backend', ['auto', 'webgpu', 'cpu'], 'auto'),
    precision: given.choice('precision', ['exact', 'fast'], 'exact'),
  };
}

/** The backend that computes the statistics, and why it was chosen. */
export interface ChosenBackend {
  readonly backend: BackendName;
  /** The device to run on, with 'webgpu'. */
  readonly gpu?: GpuContext;
  /** In a few words */
  readonly reason: string;
  readonly release: () => void;
}

/**
 * Chooses the backend in Node, where WebGPU is Dawn (the optional package `webgpu`). 'auto' chooses WebGPU if there is
 * a hardware adapter; a software adapter is many times slower than the CPU backend. 'webgpu' takes any adapter.
 * @throws MagnitudeEdgeError `no-adapter` if 'webgpu' is requested but not available
 */
export async function chooseBackend(requested: 'auto' | BackendName): Promise<ChosenBackend> {
  if (requested === 'cpu') return onCpu('asked for');
  if (requested === 'auto') {
    const why = await whyNotWebGpu();
    if (why !== undefined) return onCpu(why);
  }
  let gpu: GpuContext;
  try {
    gpu = await acquireDevice({ gpu: await loadDawn() });
  } catch (error) {
    if (requested === 'webgpu' || !(error instanceof MagnitudeEdgeError)) throw error;
    return onCpu(error.message.replace(/\.$/, ''));
  }
  return {
    backend: 'webgpu',
    gpu,
    reason: describeAdapter(gpu.adapterInfo),
    release: () => {
      releaseDevice(gpu);
    },
  };
}

/** The backend that computed an inferer's statistics, and why. */
export type RanOn = Pick<ChosenBackend, 'backend' | 'reason'>;

/** The backend in use: with 'auto' an inferer falls back to the CPU if its device turns out to be unfit. */
export function backendOf(inferer: MagnitudeEdgeInferer, { backend, reason }: ChosenBackend): RanOn {
  const { backend: taken, fallbacks } = inferer.diagnostics;
  return taken === backend ? { backend, reason } : { backend: taken, reason: fallbacks.join(' ') };
}

function onCpu(reason: string): ChosenBackend {
  return { backend: 'cpu', reason, release: () => undefined };
}

/** Dawn's entry point, never released: devices crash the process once it is collected. */
let dawn: GPU | undefined;

async function loadDawn(): Promise<GPU> {
  try {
    const { create } = (await import('webgpu')) as { create: (flags: string[]) => GPU };
    dawn ??= create([]);
    return dawn;
  } catch (cause) {
    throw new MagnitudeEdgeError(
      'no-adapter',
      "WebGPU in Node needs the package 'webgpu', which is not installed or does not load on this machine.",
      { cause },
    );
  }
}

/**
 * Device files that hardware Vulkan drivers open on Linux: the kernel's own drivers, NVIDIA, WSL, Mali, Adreno and
 * Tegra.
 */
const GRAPHICS_DEVICES = ['dri', 'nvidiactl', 'dxg', 'mali0', 'kgsl-3d0', 'nvhost-gpu', 'nvmap'];
const NAMED_DRIVERS = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'];

/**
 * Whether there can be no hardware adapter and no driver is named. Looking for an adapter takes half as long as a fit
 * of the bundled example.
 */
function hasNoGraphicsDevice(): boolean {
  if (process.platform !== 'linux' || NAMED_DRIVERS.some((name) => process.env[name])) return false;
  const { existsSync } = process.getBuiltinModule('node:fs');
  return !GRAPHICS_DEVICES.some((name) => existsSync(`/dev/${name}`));
}

/** Prints the properties of the best adapter as JSON, or null. */
const probe = `
  const { create } = await import(process.argv[1]);
  const adapter = await create([]).requestAdapter({ powerPreference: 'high-performance' });
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter?.info ?? {};
  const found = adapter && { vendor, architecture, device, description, isFallbackAdapter };
  process.stdout.write(JSON.stringify(found), () => process.exit(0));
`;

/**
 * Looks for a hardware adapter in a separate process: missing or broken graphics drivers print and may crash, which
 * must not end a command that can run without them.
 * @returns why no adapter is usable, or undefined
 */
async function whyNotWebGpu(): Promise<string | undefined> {
  let entry: string;
  try {
    entry = import.meta.resolve('webgpu');
  } catch {
    return "the optional package 'webgpu' is not installed";
  }
  if (hasNoGraphicsDevice()) return 'this machine has no graphics device';
  let found: GPUAdapterInfo | null;
  try {
    const [{ execFile }, { promisify }] = await Promise.all([
      import('node:child_process'),
      import('node:util'),
    ]);
    const args = ['--input-type=module', '--eval', probe, entry];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    found = JSON.parse(stdout) as GPUAdapterInfo | null;
  } catch {
    return 'looking for a WebGPU adapter failed';
  }
  if (found === null) return 'no WebGPU adapter was found';
  if (!isSoftwareAdapter(found)) return undefined;
  return `the adapter '${describeAdapter(found)}' runs shaders on the CPU, where the CPU backend is faster`;
}
