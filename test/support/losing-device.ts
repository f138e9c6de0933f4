const deviceCalls = ['createBuffer', 'createBindGroup', 'createCommandEncoder', 'popErrorScope'] as const;
const queueCalls = ['submit', 'writeBuffer', 'onSubmittedWorkDone'] as const;

/**
 * Destroys a device right after the given number of calls on it, its queue and its buffers; the work that the last call
 * began is then under way.
 *
 * @returns a function that returns the number of calls so far
 */
export function loseAfter(device: GPUDevice, calls: number): () => number {
  let made = 0;
  const count = (): void => {
    if (++made === calls) device.destroy();
  };
  const wrap = <T extends object>(object: T, name: keyof T, also?: (result: unknown) => void): void => {
    const original = (object[name] as (...given: unknown[]) => unknown).bind(object);
    object[name] = ((...given: unknown[]) => {
      const result = original(...given);
      also?.(result);
      count();
      return result;
    }) as T[keyof T];
  };
  for (const name of deviceCalls) {
    wrap(device, name, (made) => {
      if (name === 'createBuffer') wrap(made as GPUBuffer, 'mapAsync');
    });
  }
  for (const name of queueCalls) wrap(device.queue, name);
  return () => made;
}
