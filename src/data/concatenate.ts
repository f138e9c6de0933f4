import type { Batch } from './batches.ts';
import { toRowMajor } from './row-major.ts';

/** Columns of the two matrices of a batch */
export interface BatchWidths {
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * Batches of several sources, one source after the other, as one source of all samples would give them: the last batch of
 * one is filled up from the next, since gradients of a mean depend on how many samples are in a batch.
 *
 * @param sources gone through once, each begun when the one before has ended
 * @param batchSize of every batch but the last
 */
export async function* concatenateBatches(
  sources: AsyncIterable<AsyncIterable<Batch>>,
  batchSize: number,
  { inputs, outputs }: BatchWidths,
): AsyncGenerator<Batch, void, undefined> {
  const x = new Float32Array(batchSize * inputs);
  const y = new Float32Array(batchSize * outputs);
  let held = 0;
  for await (const source of sources) {
    for await (const batch of source) {
      const { size } = batch;
      if (held === 0 && size === batchSize) {
        yield batch;
        continue;
      }
      const from = {
        x: toRowMajor(batch.x, size, inputs, 'x'),
        y: toRowMajor(batch.y, size, outputs, 'y'),
      };
      for (let taken = 0; taken < size;) {
        const count = Math.min(batchSize - held, size - taken);
        x.set(from.x.subarray(taken * inputs, (taken + count) * inputs), held * inputs);
        y.set(from.y.subarray(taken * outputs, (taken + count) * outputs), held * outputs);
        held += count;
        taken += count;
        if (held < batchSize) break;
        yield { x: x.slice(), y: y.slice(), size: held };
        held = 0;
      }
    }
  }
  if (held > 0) yield { x: x.slice(0, held * inputs), y: y.slice(0, held * outputs), size: held };
}
