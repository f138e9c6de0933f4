import { storageFrom, type OwnedBuffer } from '../../src/gpu/buffer.ts';
import type { GpuContext } from '../../src/gpu/device.ts';
import { readBack } from '../../src/gpu/readback.ts';

/** Numbers in [0, 1) from a seed (mulberry32): the same on every machine. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers from a seed (Box and Muller). */
export function normalNumbers(seed: number): () => number {
  const random = randomNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A storage buffer holding float32 values. */
export function floats(gpu: GpuContext, values: Iterable<number>): OwnedBuffer {
  return storageFrom(gpu, 'test values', Float32Array.from(values));
}

/** The float32 values of a buffer. */
export async function readFloats(gpu: GpuContext, view: OwnedBuffer, length?: number): Promise<Float32Array> {
  const [bytes] = await readBack(gpu, [view]);
  return new Float32Array(bytes!).slice(0, length);
}

/** Largest absolute difference; Infinity where one is NaN and the other is not. */
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
