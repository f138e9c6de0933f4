import { storageFrom, type OwnedBuffer } from '../../src/gpu/buffer.ts';
import type { GpuContext } from '../../src/gpu/device.ts';
import { readBack } from '../../src/gpu/readback.ts';

export { normalNumbers, randomNumbers } from './random-numbers.ts';

/** A storage buffer holding float32 values. */
export function floats(gpu: GpuContext, values: Iterable<number>): OwnedBuffer {
  return storageFrom(gpu, 'test values', Float32Array.from(values));
}

/** The float32 values of a buffer. */
export async function readFloats(gpu: GpuContext, view: OwnedBuffer, length?: number): Promise<Float32Array> {
  const [bytes] = await readBack(gpu, [view]);
  return new Float32Array(bytes!).slice(0, length);
}

/** Largest absolute difference; Infinity if only one is NaN. */
export function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Infinity;
  let largest = 0;
  for (let e = 0; e < expected.length; e++) {
    const a = found[e]!;
    const b = expected[e]!;
    if (Number.isNaN(a) && Number.isNaN(b)) continue;
    const difference = Math.abs(a - b);
    if (Number.isNaN(difference)) return Infinity;
    largest = Math.max(largest, difference);
  }
  return largest;
}
