import { MagnitudeEdgeError } from '../errors.ts';
import { firstNonFinite } from '../first-non-finite.ts';
import { nodeOfChannel, nonFiniteError, type Quantity } from '../statistics/non-finite.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import type { ChannelBatch, ChannelValues, EngineShape, MagnitudeBatch } from './engine.ts';

/** A batch of channel values that was checked: on the host, of the right sizes, and finite. */
export interface CheckedChannelBatch {
  readonly activations: readonly Float32Array[];
  readonly gradients: readonly Float32Array[];
  readonly channels: number;
  readonly channelGroups: RaggedIndices;
}

/**
 * Checks a whole batch of channel values before anything is changed.
 *
 * @param index number of batches before this one, for the message
 * @throws `batch-mismatch`, `non-finite`, or `invalid-argument` for values on a GPU or an engine made without channels
 */
export function checkChannelBatch(
  shape: EngineShape,
  batch: ChannelBatch,
  index: number,
): CheckedChannelBatch {
  const { channels, channelGroups } = shape;
  if (channels === undefined || channelGroups === undefined) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      'Channel values need an engine made with channels and channelGroups; this one takes magnitudes only.',
    );
  }
  checkBatchSize(batch.size, index);
  const nodeOf = (at: number): number => nodeOfChannel(channelGroups, at % channels);
  const rows = { size: batch.size, width: channels, index, nodeOf };
  return {
    activations: checkPairs(shape, batch.activations, 'activation', rows),
    gradients: checkPairs(shape, batch.gradients, 'gradient', rows),
    channels,
    channelGroups,
  };
}

/**
 * As {@link checkChannelBatch}, for magnitudes.
 *
 * @throws `batch-mismatch` or `non-finite`
 */
export function checkMagnitudeBatch(shape: EngineShape, batch: MagnitudeBatch, index: number): void {
  checkBatchSize(batch.size, index);
  const width = shape.nodes;
  const rows = { size: batch.size, width, index, nodeOf: (at: number): number => at % width };
  checkPairs(shape, batch.x, 'activation', rows);
  checkPairs(shape, batch.y, 'gradient', rows);
}

/** @param index number of batches before this one, for the message @throws `batch-mismatch` */
export function checkBatchSize(size: number, index: number): void {
  if (Number.isInteger(size) && size > 0) return;
  throw new MagnitudeEdgeError(
    'batch-mismatch',
    `Batch ${index} says it has ${size} samples: a whole number of at least 1 was expected.`,
    { details: { batch: index, found: size } },
  );
}

/** Checks that there are values for every layer pair. @param index as above @throws `batch-mismatch` */
export function checkLayers(
  { pairs }: EngineShape,
  values: readonly ChannelValues[],
  quantity: Quantity,
  index: number,
): void {
  if (values.length === pairs) return;
  throw new MagnitudeEdgeError(
    'batch-mismatch',
    `Batch ${index} holds ${pluralOf[quantity]} of ${values.length} layers, but there are ${pairs} layer pairs.`,
    { details: { batch: index, quantity, expected: pairs, found: values.length } },
  );
}

const pluralOf = { activation: 'activations', gradient: 'gradients' } as const;

/** Expected sizes of a batch's values. */
export interface ExpectedRows {
  /** Samples */
  readonly size: number;
  /** Values per sample: channels, or nodes for magnitudes */
  readonly width: number;
  /** Number of batches before this one, for the message */
  readonly index: number;
}

function checkPairs(
  shape: EngineShape,
  values: readonly ChannelValues[],
  quantity: Quantity,
  { size, width, index, nodeOf }: ExpectedRows & { readonly nodeOf: (at: number) => number },
): Float32Array[] {
  checkLayers(shape, values, quantity, index);
  const plural = pluralOf[quantity];
  return values.map((value, p) => {
    const layer = quantity === 'activation' ? p : p + 1;
    if (!(value instanceof Float32Array)) {
      throw new MagnitudeEdgeError(
        'invalid-argument',
        `The ${plural} of layer ${layer} are not a Float32Array: the CPU engine takes values on the host only.`,
      );
    }
    if (value.length !== size * width) {
      throw new MagnitudeEdgeError(
        'batch-mismatch',
        `Batch ${index} holds ${value.length} ${plural} of layer ${layer}, but ${size} samples of ${width} make ` +
          `${size * width}.`,
        { details: { batch: index, quantity, layer, expected: size * width, found: value.length } },
      );
    }
    const at = firstNonFinite(value);
    if (at >= 0) {
      const sample = Math.floor(at / width);
      throw nonFiniteError({ batch: index, quantity, layer, node: nodeOf(at), sample, value: value[at] });
    }
    return value;
  });
}
