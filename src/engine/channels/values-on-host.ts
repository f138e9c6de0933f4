import { borrow } from '../../gpu/buffer.ts';
import { adoptDevice } from '../../gpu/device.ts';
import { readBack } from '../../gpu/readback.ts';
import type { ChannelValues } from '../engine.ts';

/**
 * Channel values on the host: arrays as they are, GPU buffers as copies.
 *
 * @param length elements of each
 * @param device of values that are GPU buffers
 * @throws `device-lost`, `gpu-validation`
 */
export async function valuesOnHost(
  values: readonly ChannelValues[],
  length: number,
  device: GPUDevice | undefined,
): Promise<Float32Array[]> {
  const onHost = values.filter((value) => value instanceof Float32Array);
  if (onHost.length === values.length) return onHost;
  if (device === undefined) throw new TypeError('Values on a GPU need its device.');
  const views = values.map((value) => borrow(value as GPUBuffer, 0, 4 * length));
  const read = await readBack(adoptDevice(device), views);
  return read.map((buffer) => new Float32Array(buffer));
}
