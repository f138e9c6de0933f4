import type { BufferView, OwnedBuffer } from '../../../gpu/buffer.ts';
import type { Panel } from '../statistics/layout.ts';
import type { TargetBlock } from './target-blocks.ts';

/** One layer pair as the kernels read it. */
export interface PairOnGpu {
  readonly pair: number;
  readonly moments: OwnedBuffer;
  /** 1 / n in two words */
  readonly inverseCount: readonly [high: number, low: number];
  /** Output: `[targets, N]` bits of scores per panel */
  readonly scores: readonly OwnedBuffer[];
}

/** A block of targets as the kernels read it. */
export interface BlockOnGpu extends TargetBlock {
  readonly panel: Panel;
  readonly planBuffer: OwnedBuffer;
  readonly rowBuffer: OwnedBuffer;
}

/** Inputs of a block's systems: the sums of its panel, and the rows of S_xx for the members of its sets. */
export interface BlockSums {
  readonly sumXY: BufferView;
  readonly covarianceRows: BufferView;
}

/** Most bytes of one scratch buffer, within the default binding limit. */
export const SCRATCH_BYTES = 64 * 2 ** 20;

/** Operations of one multiply-add in extended precision. */
export const OPERATIONS_PER_STEP = 40;

/** Cost of converting one element from the sums to units: some forty operations, and the bytes it moves. */
export const OPERATIONS_PER_COVARIANCE = 100;

/** Most workgroups in y or z of one dispatch. */
export const MOST_LAYERS = 65_535;

/** A float64 as the sum of two float32, to 48 bits. */
export function doubleSingle(value: number): readonly [high: number, low: number] {
  const high = Math.fround(value);
  return [high, Math.fround(value - high)];
}
