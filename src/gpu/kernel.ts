import { MagnitudeEdgeError } from '../errors.ts';
import { COMPUTE_STAGE } from './constants.ts';
import { assertAlive, deviceLost, lossOr, type GpuContext } from './device.ts';
import { alive } from './error-scope.ts';

/** How a kernel uses a storage buffer. */
export type StorageAccess = 'read' | 'read-write';

/**
 * A compute kernel as its TypeScript side sees it: entry point `main`, bind group 0, uniform `Params` at binding 0 and
 * storage buffers from binding 1 on. A test reflects the WGSL and checks that the two sides agree.
 */
export interface KernelDefinition<Param extends string = string, Buffer extends string = string> {
  /** The shader's file name, for messages. */
  readonly label: string;
  /** WGSL, shared parts first. */
  readonly sources: readonly string[];
  /** Fields of `Params` in order; all are four bytes wide. */
  readonly params: Readonly<Record<Param, 'u32' | 'i32' | 'f32'>>;
  /** Storage buffers, bindings 1, 2, ... in order. */
  readonly buffers: Readonly<Record<Buffer, StorageAccess>>;
}

/** Values of `override` declarations. */
export type KernelConstants = Readonly<Record<string, number>>;

/** A kernel ready to run on one device. */
export interface Kernel<Param extends string = string, Buffer extends string = string> {
  readonly definition: KernelDefinition<Param, Buffer>;
  readonly layout: GPUBindGroupLayout;
  readonly pipeline: GPUComputePipeline;
}

/** The kernel compiled from a definition. */
export type KernelOf<D extends KernelDefinition> = Kernel<
  Extract<keyof D['params'], string>,
  Extract<keyof D['buffers'], string>
>;

/** Pipelines per device, compiled or compiling: concurrent callers share one compilation. */
const cache = new WeakMap<GPUDevice, Map<string, Promise<Kernel>>>();

/**
 * Compiles a kernel, once per device, source and constants.
 *
 * @throws `gpu-validation` with line, column and source line for a shader that does not compile, `device-lost`
 */
export function compileKernel<Param extends string, Buffer extends string>(
  context: GpuContext,
  definition: KernelDefinition<Param, Buffer>,
  constants: KernelConstants = {},
): Promise<Kernel<Param, Buffer>> {
  let kernels = cache.get(context.device);
  if (kernels === undefined) {
    kernels = new Map();
    cache.set(context.device, kernels);
  }
  const key = JSON.stringify([definition.sources, constants]);
  let kernel = kernels.get(key);
  if (kernel === undefined) {
    kernel = compile(context, definition, constants);
    kernels.set(key, kernel);
    // Compilation may have failed for lack of memory; allow a retry.
    kernel.catch(() => kernels.delete(key));
  }
  return kernel;
}

async function compile(
  context: GpuContext,
  definition: KernelDefinition,
  constants: KernelConstants,
): Promise<Kernel> {
  assertAlive(context);
  const { device } = context;
  const { label } = definition;
  const code = definition.sources.join('\n');
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label, code });
  const layout = device.createBindGroupLayout({ label, entries: layoutEntries(definition) });
  const refused = device.popErrorScope();
  const { messages } = await alive(context, module.getCompilationInfo());
  const fault = messages.find(({ type }) => type === 'error');
  if (fault !== undefined) throw shaderError(label, code, fault);
  const error = await alive(context, refused);
  if (error !== null)
    throw new MagnitudeEdgeError('gpu-validation', `The GPU refused ${label}: ${error.message}`);
  try {
    const pipeline = await device.createComputePipelineAsync({
      label,
      layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main', constants },
    });
    return { definition, layout, pipeline };
  } catch (cause) {
    if ((await lossOr(device, cause)) !== cause) throw deviceLost(context, cause);
    throw new MagnitudeEdgeError(
      'gpu-validation',
      `The GPU could not create the pipeline of ${label}: ${String(cause)}`,
      {
        cause,
      },
    );
  }
}

function layoutEntries(definition: KernelDefinition): GPUBindGroupLayoutEntry[] {
  const types: GPUBufferBindingType[] = [
    'uniform',
    ...Object.values(definition.buffers).map((access) =>
      access === 'read' ? 'read-only-storage' : 'storage',
    ),
  ];
  return types.map((type, binding) => ({ binding, visibility: COMPUTE_STAGE, buffer: { type } }));
}

function shaderError(label: string, code: string, fault: GPUCompilationMessage): MagnitudeEdgeError {
  const line = code.split('\n')[fault.lineNum - 1]?.trim() ?? '';
  return new MagnitudeEdgeError(
    'gpu-validation',
    `${label} does not compile at line ${fault.lineNum}, column ${fault.linePos}: ${fault.message} | ${line}`,
    { details: { shader: label, line: fault.lineNum, column: fault.linePos } },
  );
}
