import { MagnitudeEdgeError } from '../errors.ts';

/** How samples are divided, as requested. */
export interface RequestedSizes {
  /**
   * Samples that the model runs at once; the last batch holds the rest. Default: `lossBatchSize`, else 128. 'auto' is
   * what is fast for the model's channels, 64 to 512; if the model's batches cannot be regrouped (`canRegroup`), it is
   * `lossBatchSize`.
   */
  readonly batchSize?: number | 'auto' | undefined;
  /**
   * Samples over which the loss takes its mean, which gradients scale with. Default: `batchSize`, or 128 if that is
   * 'auto'. If it differs, batches hold as many whole batches of the loss as fit into `batchSize`, or equal parts of one.
   */
  readonly lossBatchSize?: number | undefined;
}

/** How samples are divided. */
export interface BatchSizes {
  /** Samples in a batch; in the last one, and in the last part of a batch of the loss, there may be fewer. */
  readonly batchSize: number;
  /** Samples over which the loss takes its mean; the last batch of the loss holds the rest. */
  readonly lossBatchSize: number;
}

/** Whether batches are others than those of the loss. A loader that tells no sizes has those of the loss. */
export const regroups = ({ batchSize, lossBatchSize = batchSize }: Partial<BatchSizes>): boolean =>
  batchSize !== lossBatchSize;

/** What the sizes depend on of a model. */
export interface SizedModel {
  readonly canRegroup?: boolean;
  readonly channelGroups?: readonly number[];
}

/**
 * Channel values of a block at which a run is fastest. Measured with the wasm provider on one thread, microseconds per
 * sample in runs of 64, 128, 256 and 512: 120 channels 17, 16, 14, 13; 3,000 channels 402, 366, 468, 537; 10,000
 * channels 1,663, 1,903, 2,044, -; 20,000 channels 3,520, 3,726, 4,145, -. Runs of 16 took up to twice as long.
 */
const FASTEST_VALUES = 384_000;

/** The fastest number of samples of a run. It depends on nothing but the model, so that results do not vary. */
function fastestSize(channels: number): number {
  return Math.min(Math.max(2 ** Math.round(Math.log2(FASTEST_VALUES / channels)), 64), 512);
}

/** @throws MagnitudeEdgeError `invalid-argument` for sizes that are none, and that the model's loss cannot have */
export function batchSizes(
  { batchSize: requested, lossBatchSize: lossBatch }: RequestedSizes,
  { canRegroup = false, channelGroups = [] }: SizedModel,
): BatchSizes {
  if (requested !== 'auto') checkSize('batchSize', requested, " or 'auto'");
  checkSize('lossBatchSize', lossBatch);
  const size = requested ?? lossBatch ?? 128;
  const lossBatchSize = lossBatch ?? (size === 'auto' ? 128 : size);
  if (size === 'auto') {
    const fastest = canRegroup ? fastestSize(channelGroups.length) : lossBatchSize;
    return { batchSize: sizeNear(fastest, lossBatchSize, Math.round, Math.round), lossBatchSize };
  }
  const batchSize = sizeNear(size, lossBatchSize, Math.floor, Math.ceil);
  if (canRegroup || !regroups({ batchSize, lossBatchSize })) return { batchSize, lossBatchSize };
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `batchSize is ${size} and lossBatchSize ${lossBatchSize}, but they must be equal for a custom loss, for the mean of a joint export and for a model with a fixed number of samples.`,
    { details: { option: 'lossBatchSize', found: lossBatchSize } },
  );
}

type Rounding = (x: number) => number;

/** The size near `size` that is a whole number of batches of the loss, or that divides one into equal parts. */
function sizeNear(size: number, lossBatch: number, several: Rounding, parts: Rounding): number {
  return lossBatch > size
    ? Math.ceil(lossBatch / parts(lossBatch / size))
    : lossBatch * several(size / lossBatch);
}

function checkSize(option: string, size: number | undefined, others = ''): void {
  if (size === undefined || (Number.isSafeInteger(size) && size >= 1)) return;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `${option} is ${String(size)}, a whole number of at least 1${others} was expected.`,
  );
}
