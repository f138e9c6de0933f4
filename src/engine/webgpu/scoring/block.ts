import type { BufferView, OwnedBuffer } from '../../../gpu/buffer.ts';
import type { Panel } from '../statistics/layout.ts';
import type { TargetBlock } from './target-blocks.ts';

/** What the kernels read of one layer pair. */
export interface PairOnGpu {
  readonly pair: number;
  readonly moments: OwnedBuffer;
  /** [n] as the reciprocal in two words */
  readonly inverseCount: readonly [high: number, low: number];
  /** `[targets, N]` bits of scores per panel, to be written */
  readonly scores: readonly OwnedBuffer[];
}

/** A block of targets as the kernels read it. */
export interface BlockOnGpu extends TargetBlock {
  readonly panel: Panel;
  readonly planBuffer: OwnedBuffer;
  readonly rowBuffer: OwnedBuffer;
}

/** What a block's systems are made of: the sums of its panel, and the rows of S_xx that it names. */
export interface BlockSums {
  readonly sumXY: BufferView;
  readonly covarianceRows: BufferView;
}

/** Most bytes of one scratch buffer, so that the default binding limit always holds it. */
export const SCRATCH_BYTES = 64 * 2 ** 20;

/** Operations of one multiply-add in extended precision. */
export const OPERATIONS_PER_STEP = 40;

/** Operations that bringing one element from the sums to units is counted as: some forty, and the bytes it moves. */
export const OPERATIONS_PER_COVARIANCE = 100;

/** Workgroups in y or z of one dispatch. */
export const MOST_LAYERS = 65_535;

/** A float64 as two float32 whose sum it is, to 48 bits. */
export function doubleSingle(value: number): readonly [high: number, low: number] {
  const high = Math.fround(value);
  return [high, Math.fround(value - high)];
}
