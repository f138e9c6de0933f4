import type { BufferView } from './buffer.ts';
import { bufferUsage } from './constants.ts';
import type { GpuContext } from './device.ts';
import { scoped } from './error-scope.ts';
import type { Kernel } from './kernel.ts';
import type { SubmitThrottle } from './submit-throttle.ts';

/** Workgroups in one dimension of a dispatch; more are laid out as rows (see shared/dispatch.wgsl). */
const MAX_WORKGROUPS = 65_535;

/** A count of workgroups in x, y and z. */
export type WorkgroupCount = readonly [x: number, y: number, z: number];

/**
 * Lays `count` workgroups out in x and y, `layers` times in z. `workgroup_index()` of shared/dispatch.wgsl recovers the
 * index; it may exceed `count` in the last row, so kernels check their bounds.
 */
export function workgroups(count: number, layers = 1): WorkgroupCount {
  const rows = Math.ceil(count / MAX_WORKGROUPS);
  return [Math.ceil(count / Math.max(rows, 1)), rows, layers];
}

interface Dispatch {
  readonly kernel: Kernel;
  readonly params: ArrayBuffer;
  readonly buffers: readonly BufferView[];
  readonly count: WorkgroupCount;
  /** Floating point operations, roughly */
  readonly operations: number;
}

/** Collects dispatches and submits them to the GPU, in several submits if they are long: see `operationsPerSubmit`. */
export class Recorder {
  readonly #context: GpuContext;
  readonly #dispatches: Dispatch[] = [];

  constructor(context: GpuContext) {
    this.#context = context;
  }

  /**
   * Adds a dispatch; it sees the writes of earlier ones. Nothing reaches the GPU before a submit.
   *
   * @param operations approximate floating point operations, by which submits are cut; 0 if they are few
   */
  dispatch<Param extends string, Buffer extends string>(
    kernel: Kernel<Param, Buffer>,
    params: Readonly<Record<Param, number>>,
    buffers: Readonly<Record<Buffer, BufferView>>,
    count: WorkgroupCount,
    operations = 0,
  ): this {
    if (count[0] === 0 || count[1] === 0 || count[2] === 0) return this;
    const { definition } = kernel;
    this.#dispatches.push({
      kernel,
      params: packParams(definition.params, params),
      buffers: Object.keys(definition.buffers).map((name) => buffers[name as Buffer]),
      count,
      operations,
    });
    return this;
  }

  /**
   * Submits all recorded dispatches without waiting. Buffers bound here may be destroyed as soon as this returns: the
   * GPU keeps them until it is done.
   *
   * @returns resolves once the GPU has accepted the commands (not once it has run them); see {@link scoped} for errors
   */
  submit(what: string): Promise<void> {
    const submits: Dispatch[][] = [];
    while (!this.isEmpty) submits.push(this.#takeNext(this.#fitting().count));
    if (submits.length === 0) return Promise.resolve();
    return scoped(this.#context, what, () => {
      for (const dispatches of submits) send(this.#context, what, dispatches);
    }).settled;
  }

  /**
   * Submits the recorded dispatches step by step, as the throttle admits them. Buffers bound here must live until all
   * are submitted. After an abort the rest stays recorded and another call resumes there; after a failure nothing does.
   *
   * @returns as {@link Recorder.submit}; also rejects with the reason of the throttle's signal
   */
  async submitThrottled(what: string, throttle: SubmitThrottle): Promise<void> {
    while (!this.isEmpty) {
      const { count, operations } = this.#fitting();
      await throttle.waitForCapacity(operations);
      try {
        const { settled } = scoped(this.#context, what, () => {
          send(this.#context, what, this.#takeNext(count));
        });
        throttle.submitted(operations);
        await settled;
      } catch (error) {
        this.#dispatches.length = 0;
        throw error;
      }
    }
  }

  /** Whether there is something to submit. */
  get isEmpty(): boolean {
    return this.#dispatches.length === 0;
  }

  /** How many of the next dispatches fit one submit; at least one, even if it does not. */
  #fitting(): { count: number; operations: number } {
    let count = 0;
    let operations = 0;
    for (const dispatch of this.#dispatches) {
      if (count > 0 && operations + dispatch.operations > this.#context.operationsPerSubmit) break;
      operations += dispatch.operations;
      count++;
    }
    return { count, operations };
  }

  #takeNext(count: number): Dispatch[] {
    return this.#dispatches.splice(0, count);
  }
}

/** Encodes dispatches and submits them as one command buffer. */
function send({ device }: GpuContext, what: string, dispatches: readonly Dispatch[]): void {
  const uniforms = packUniforms(device, dispatches);
  const encoder = device.createCommandEncoder({ label: what });
  const pass = encoder.beginComputePass({ label: what });
  for (const [index, { kernel, buffers, count }] of dispatches.entries()) {
    const { label } = kernel.definition;
    const resources = [uniforms.view(index), ...buffers];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, device.createBindGroup({ label, layout: kernel.layout, entries }));
    pass.dispatchWorkgroups(...count);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
  uniforms.buffer.destroy();
}

/** Packs uniform fields in the order of the definition, four bytes each. */
export function packParams<Param extends string>(
  fields: Readonly<Record<Param, 'u32' | 'i32' | 'f32'>>,
  values: Readonly<Record<Param, number>>,
): ArrayBuffer {
  const names = Object.keys(fields) as Param[];
  const view = new DataView(new ArrayBuffer(names.length * 4));
  for (const [at, name] of names.entries()) {
    if (fields[name] === 'u32') view.setUint32(at * 4, values[name], true);
    else if (fields[name] === 'i32') view.setInt32(at * 4, values[name], true);
    else view.setFloat32(at * 4, values[name], true);
  }
  return view.buffer;
}

/** All uniforms of one submit in one buffer, each at an offset that the device can bind. */
function packUniforms(
  device: GPUDevice,
  dispatches: readonly Dispatch[],
): { buffer: GPUBuffer; view(index: number): BufferView } {
  const largest = Math.max(...dispatches.map(({ params }) => params.byteLength));
  const alignment = device.limits.minUniformBufferOffsetAlignment;
  const stride = Math.ceil(largest / alignment) * alignment;
  const bytes = new Uint8Array(stride * dispatches.length);
  for (const [index, { params }] of dispatches.entries()) bytes.set(new Uint8Array(params), index * stride);
  const { uniform, copyDestination } = bufferUsage;
  const buffer = device.createBuffer({
    label: 'params',
    size: bytes.length,
    usage: uniform | copyDestination,
  });
  device.queue.writeBuffer(buffer, 0, bytes);
  // Some implementations require uniform bindings in multiples of 16 bytes; the stride leaves space for that.
  const size = (index: number): number => Math.ceil(dispatches[index]!.params.byteLength / 16) * 16;
  return { buffer, view: (index) => ({ buffer, offset: index * stride, size: size(index) }) };
}
