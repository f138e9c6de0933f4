/**
 * Stands in for the package `webgpu`: the real one, on a software driver that passes for hardware, whose device has the
 * fault named by the environment variable FAULT. REAL_WEBGPU is the path of the real package.
 */
import process from 'node:process';

const { create: createDawn, globals } = await import(/** @type {string} */ (process.env.REAL_WEBGPU));
export { globals };

const info = {
  vendor: 'test',
  architecture: '',
  device: '',
  description: 'faulty',
  isFallbackAdapter: false,
};

/** @type {Record<string, (device: GPUDevice) => void>} */
const faults = {
  // A compiler that replaces the rounding error of a sum by 0, as in real arithmetic.
  arithmetic: (device) => {
    const { createShaderModule } = Object.getPrototypeOf(device);
    Object.defineProperty(device, 'createShaderModule', {
      value: (/** @type {GPUShaderModuleDescriptor} */ descriptor) => {
        const code = descriptor.code.replace('two_sum(pair.x, pair.y)', 'vec2f(pair.x + pair.y, 0.0)');
        return createShaderModule.call(device, { ...descriptor, code });
      },
    });
  },
  // A driver that fails at the first work.
  lost: (device) => {
    const { createShaderModule } = Object.getPrototypeOf(device);
    Object.defineProperty(device, 'createShaderModule', {
      value: (/** @type {GPUShaderModuleDescriptor} */ descriptor) => {
        device.destroy();
        return createShaderModule.call(device, descriptor);
      },
    });
  },
};

export function create(/** @type {string[]} */ flags) {
  const gpu = createDawn(flags);
  return {
    requestAdapter: async (/** @type {GPURequestAdapterOptions} */ options) => {
      const adapter = await gpu.requestAdapter(options);
      if (adapter === null) return null;
      const fault = /** @type {string} */ (process.env.FAULT);
      const requestDevice = async (/** @type {GPUDeviceDescriptor} */ descriptor) => {
        if (fault === 'refused') throw new Error('This adapter gives no device.');
        const device = await adapter.requestDevice(descriptor);
        Object.defineProperty(device, 'adapterInfo', { value: info });
        faults[fault]?.(device);
        return device;
      };
      // The adapter must live as long as the object that requests its device.
      return { info, limits: adapter.limits, features: adapter.features, requestDevice };
    },
  };
}
