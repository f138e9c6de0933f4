/**
 * Bytes of all buffers that are alive on a device, whoever makes them: the nearest that WebGPU comes to telling memory.
 * Works on the device's own methods, as gpu-times.mjs does.
 */

/**
 * @param {GPUDevice} device
 * @returns {{ peak(): number }} most bytes alive at a time since the last call
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
