import type { MagnitudeBatch, RaggedIndices } from '../../src/statistics.ts';
import { npzArrays } from './npz-arrays.ts';

/**
 * One case of test/fixtures/statistics (see the README there): magnitudes, and the float64 oracle's results for them.
 */
export interface StatisticsCase {
  readonly nodes: number;
  readonly pairs: number;
  readonly samples: number;
  readonly sets: RaggedIndices;
  readonly ridge: number;
  readonly varianceFloor: number | undefined;
  /** Rows `first .. end` of the magnitudes as a batch */
  batch(first: number, end: number): MagnitudeBatch;
  /** Oracle matrices by name: `corr`, `partial` (all pairs), `corr_mean`, `p_partial_max`, ... */
  oracle(name: string): Float64Array;
}

export function statisticsCase(bytes: Uint8Array): StatisticsCase {
  const arrays = npzArrays(bytes);
  const [pairs, samples, nodes] = arrays.x!.shape as [number, number, number];
  const cut = (name: string, first: number, end: number): Float32Array[] =>
    Array.from({ length: pairs }, (_, p) =>
      Float32Array.from(
        arrays[name]!.data.subarray((p * samples + first) * nodes, (p * samples + end) * nodes),
      ),
    );
  return {
    nodes,
    pairs,
    samples,
    sets: {
      offsets: Uint32Array.from(arrays.parent_offsets!.data),
      indices: Uint32Array.from(arrays.parents!.data),
    },
    ridge: arrays.ridge!.data[0]!,
    varianceFloor: arrays.variance_floor?.data[0],
    batch: (first, end) => ({ size: end - first, x: cut('x', first, end), y: cut('y', first, end) }),
    oracle: (name) => arrays[name]!.data,
  };
}
