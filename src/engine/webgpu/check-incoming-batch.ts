import { MagnitudeEdgeError } from '../../errors.ts';
import { bufferUsage } from '../../gpu/constants.ts';
import type { Quantity } from '../../statistics/non-finite.ts';
import { checkBatchSize, checkLayers, type ExpectedRows } from '../check-channel-batch.ts';
import type { ChannelValues, EngineShape } from '../engine.ts';

/** One batch as the WebGPU engine receives it: P entries of x and of y, each row-major `[size, width]`. */
export interface IncomingBatch {
  readonly size: number;
  readonly x: readonly ChannelValues[];
  readonly y: readonly ChannelValues[];
}

/**
 * Checks the sizes of a batch before anything is submitted. The GPU checks whether its values are finite.
 *
 * @param width values per sample: channels, or nodes for magnitudes
 * @param index number of batches before this one, for the message
 * @throws `batch-mismatch`
 */
export function checkIncomingBatch(
  shape: EngineShape,
  batch: IncomingBatch,
  width: number,
  index: number,
): void {
  checkBatchSize(batch.size, index);
  const rows = { size: batch.size, width, index };
  checkQuantity(shape, batch.x, 'activation', rows);
  checkQuantity(shape, batch.y, 'gradient', rows);
}

function checkQuantity(
  shape: EngineShape,
  values: readonly ChannelValues[],
  quantity: Quantity,
  { size, width, index }: ExpectedRows,
): void {
  checkLayers(shape, values, quantity, index);
  for (const [p, value] of values.entries()) {
    const layer = quantity === 'activation' ? p : p + 1;
    const expected = size * width;
    const onHost = value instanceof Float32Array;
    const found = onHost ? value.length : Math.floor(value.size / 4);
    // The runtime rounds buffer sizes up; arrays are exact.
    if (onHost ? found !== expected : found < expected) {
      throw new MagnitudeEdgeError(
        'batch-mismatch',
        `Batch ${index} holds ${found} ${quantity}s of layer ${layer}, but ${size} samples of ${width} make ${expected}.`,
        { details: { batch: index, quantity, layer, expected, found } },
      );
    }
    if (!onHost && (value.usage & bufferUsage.storage) === 0) {
      throw new MagnitudeEdgeError(
        'batch-mismatch',
        `The GPU buffer with the ${quantity}s of layer ${layer} of batch ${index} was made without STORAGE usage.`,
        { details: { batch: index, quantity, layer } },
      );
    }
  }
}
