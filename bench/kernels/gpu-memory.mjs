/**
 * Bytes of all live buffers of a device, whoever creates them: the closest measure of memory that WebGPU offers. Wraps
 * the device's own methods, as gpu-times.mjs does.
 */

/**
 * @param {GPUDevice} device
 * @returns {{ peak(): number }} peak of live bytes since the last call
 */
export function watchMemory(device) {
  let alive = 0;
  let most = 0;
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    alive += buffer.size;
    most = Math.max(most, alive);
    const destroy = buffer.destroy.bind(buffer);
    let counted = true;
    buffer.destroy = () => {
      if (counted) alive -= buffer.size;
      counted = false;
      destroy();
    };
    return buffer;
  };
  return {
    peak() {
      const peak = most;
      most = alive;
      return peak;
    },
  };
}
