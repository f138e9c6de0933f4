import { MagnitudeEdgeError } from '../errors.ts';
import type { RaggedIndices } from './ragged.ts';

/** What a value belongs to: an activation of block `layer`, or a gradient with respect to it. */
export type Quantity = 'activation' | 'gradient';

/**
 * Index of the first NaN or infinity, or -1. Adds up `v * 0`, which is zero for finite values only: one pass without
 * branches, in four sums that need not wait for each other, and a second one only where something was found.
 */
export function firstNonFinite(values: Float32Array | Float64Array): number {
  let [r0, r1, r2, r3] = [0, 0, 0, 0];
  const count = values.length;
  const fours = count - (count % 4);
  // By index: `for of` over typed arrays takes several times as long in today's engines.
  for (let k = 0; k < fours; k += 4) {
    r0 += values[k]! * 0;
    r1 += values[k + 1]! * 0;
    r2 += values[k + 2]! * 0;
    r3 += values[k + 3]! * 0;
  }
  for (let k = fours; k < count; k++) r0 += values[k]! * 0;
  return r0 + r1 + r2 + r3 === 0 ? -1 : values.findIndex((value) => !Number.isFinite(value));
}

/** Lists of the nodes that each channel belongs to, asked for only when an error is written. */
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
  /** Index among the function nodes; -1 where the channel belongs to none */
  readonly node: number;
  /** Row of the batch, where known */
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
