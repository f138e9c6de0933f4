import { MagnitudeEdgeError } from '../errors.ts';
import type { RaggedIndices } from './ragged.ts';

/** What a value belongs to: an activation of block `layer`, or a gradient with respect to it. */
export type Quantity = 'activation' | 'gradient';

/** The node that a channel belongs to, or -1. A linear search, used only for error messages. */
export function nodeOfChannel(groups: RaggedIndices, channel: number): number {
  for (let node = 0; node + 1 < groups.offsets.length; node++) {
    const list = groups.indices.subarray(groups.offsets[node], groups.offsets[node + 1]);
    if (list.includes(channel)) return node;
  }
  return -1;
}

/** The one error for a value that is not finite; both engines throw it (code `non-finite`). */
export function nonFiniteError(at: {
  /** Index of the batch since the last reset, from 0 */
  readonly batch: number;
  readonly quantity: Quantity;
  readonly layer: number;
  /** Index among the function nodes; -1 if the channel belongs to none */
  readonly node: number;
  /** Row of the batch, if known */
  readonly sample?: number | undefined;
  readonly value?: number | undefined;
}): MagnitudeEdgeError {
  const found = at.value === undefined ? 'NaN or an infinity' : String(at.value);
  const sample = at.sample === undefined ? '' : `, sample ${at.sample}`;
  return new MagnitudeEdgeError(
    'non-finite',
    `The ${at.quantity} of layer ${at.layer} at function node ${at.node} is ${found} in batch ${at.batch}${sample}: ` +
      'every value must be finite; the statistics of earlier batches are unchanged.',
    { details: { batch: at.batch, quantity: at.quantity, layer: at.layer, node: at.node } },
  );
}
