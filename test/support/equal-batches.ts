import type { Batch } from '../../src/index.ts';
import type { npzArrays } from './npz-arrays.ts';

/** The first 96 samples of arrays `x` and `y` in batches of equal size, which must divide 96. */
export function equalBatches(arrays: ReturnType<typeof npzArrays>, batchSize: number): Batch[] {
  const rows = (name: string, first: number): Float32Array => {
    const { data, shape } = arrays[name]!;
    return Float32Array.from(data.subarray(first * shape[1]!, (first + batchSize) * shape[1]!));
  };
  return Array.from({ length: 96 / batchSize }, (_, batch) => ({
    x: rows('x', batch * batchSize),
    y: rows('y', batch * batchSize),
    size: batchSize,
  }));
}
