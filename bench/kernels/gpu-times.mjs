/* global GPUBufferUsage, GPUMapMode */
/**
 * GPU time of all dispatches on a device, by pipeline label, whoever dispatches: each dispatch gets a compute pass of
 * its own with a timestamp before and after. Wraps the device's own methods, so the measured code is unaware of it.
 */

/** Dispatches per query set: 4,096 timestamps are the most that WebGPU allows. */
const ROOM = 2048;

/** @typedef {{ label: string, set: number, index: number }} Dispatch */

/**
 * @param {GPUDevice} device
 * @returns {{ collect(): Promise<Map<string, number>>, timed: boolean }} `collect` returns seconds by label since the
 * last call, nothing if the device has no timestamp-query
 */
export function timeDispatches(device) {
  const timed = device.features.has('timestamp-query');
  if (!timed) return { timed, collect: () => Promise.resolve(new Map()) };
  /** @type {GPUQuerySet[]} */
  const sets = [];
  /** @type {Dispatch[]} */
  let dispatches = [];
  /** @type {WeakMap<GPUComputePipeline, string>} */
  const labels = new WeakMap();

  const createAsync = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = async (descriptor) => {
    const pipeline = await createAsync(descriptor);
    labels.set(pipeline, descriptor.label ?? 'unnamed');
    return pipeline;
  };
  const create = device.createComputePipeline.bind(device);
  device.createComputePipeline = (descriptor) => {
    const pipeline = create(descriptor);
    labels.set(pipeline, descriptor.label ?? 'unnamed');
    return pipeline;
  };

  const createEncoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    const encoder = createEncoder(descriptor);
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = () => /** @type {any} */ (new OnePassEach(begin));
    return encoder;
  };

  /** Stands in for a compute pass. */
  class OnePassEach {
    /** @type {GPUComputePipeline | undefined} */
    #pipeline;
    /** @type {Map<number, any[]>} */
    #groups = new Map();
    #begin;

    /** @param {(descriptor: GPUComputePassDescriptor) => GPUComputePassEncoder} begin */
    constructor(begin) {
      this.#begin = begin;
    }

    /** @param {GPUComputePipeline} pipeline */
    setPipeline(pipeline) {
      this.#pipeline = pipeline;
    }

    /** @param {number} index @param {any[]} rest */
    setBindGroup(index, ...rest) {
      this.#groups.set(index, rest);
    }

    /** @param {any[]} count */
    dispatchWorkgroups(...count) {
      this.#run((pass) => {
        pass.dispatchWorkgroups(count[0], count[1], count[2]);
      });
    }

    /** @param {GPUBuffer} buffer @param {number} offset */
    dispatchWorkgroupsIndirect(buffer, offset) {
      this.#run((pass) => {
        pass.dispatchWorkgroupsIndirect(buffer, offset);
      });
    }

    end() {
      this.#groups.clear();
    }

    /** @param {(pass: GPUComputePassEncoder) => void} dispatch */
    #run(dispatch) {
      const pipeline = this.#pipeline;
      if (!pipeline) throw new Error('A dispatch without a pipeline.');
      const at = dispatches.length;
      const [set, index] = [Math.floor(at / ROOM), 2 * (at % ROOM)];
      const querySet = (sets[set] ??= device.createQuerySet({ type: 'timestamp', count: 2 * ROOM }));
      dispatches.push({ label: labels.get(pipeline) ?? 'unnamed', set, index });
      const pass = this.#begin({
        timestampWrites: { querySet, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 },
      });
      pass.setPipeline(pipeline);
      for (const [group, rest] of this.#groups) /** @type {any} */ (pass).setBindGroup(group, ...rest);
      dispatch(pass);
      pass.end();
    }
  }

  return {
    timed,
    async collect() {
      /** @type {Map<string, number>} */
      const seconds = new Map();
      const bytes = 16 * ROOM;
      const counted = Math.ceil(dispatches.length / ROOM);
      for (let set = 0; set < counted; set++) {
        const querySet = /** @type {GPUQuerySet} */ (sets[set]);
        const resolved = device.createBuffer({
          size: bytes,
          usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
        });
        const read = device.createBuffer({
          size: bytes,
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        });
        const own = dispatches.filter((dispatch) => dispatch.set === set);
        const encoder = createEncoder();
        encoder.resolveQuerySet(querySet, 0, 2 * own.length, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, read, 0, bytes);
        device.queue.submit([encoder.finish()]);
        await read.mapAsync(GPUMapMode.READ);
        const times = new BigUint64Array(read.getMappedRange());
        for (const { label, index } of own) {
          const taken = Number((times[index + 1] ?? 0n) - (times[index] ?? 0n)) / 1e9;
          seconds.set(label, (seconds.get(label) ?? 0) + Math.max(taken, 0));
        }
        read.destroy();
        resolved.destroy();
      }
      dispatches = [];
      return seconds;
    },
  };
}
