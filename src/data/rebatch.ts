import type { DenseBatch } from './grouping.ts';
import type { Samples } from './matrix.ts';

/** Columns of the two matrices of a batch */
export interface BatchWidths {
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * Regroups blocks of any size into batches: views of the blocks, except for a batch that spans several. Only the last
 * batch may be smaller, since gradients of a mean depend on the number of samples in a batch.
 */
export async function* rebatch(
  blocks: AsyncIterable<Samples>,
  batchSize: number,
  { inputs, outputs }: BatchWidths,
): AsyncGenerator<DenseBatch, void, undefined> {
  let x = new Float32Array();
  let y = new Float32Array();
  /** Samples of an incomplete batch, held from earlier blocks */
  let held = 0;
  for await (const block of blocks) {
    const { rows } = block.x;
    for (let start = 0; start < rows;) {
      const end = Math.min(start + batchSize - held, rows);
      const ownX = block.x.values.subarray(start * inputs, end * inputs);
      const ownY = block.y.values.subarray(start * outputs, end * outputs);
      const size = held + end - start;
      start = end;
      if (held === 0 && size === batchSize) {
        yield { x: ownX, y: ownY, size };
        continue;
      }
      if (held === 0) [x, y] = [new Float32Array(batchSize * inputs), new Float32Array(batchSize * outputs)];
      x.set(ownX, held * inputs);
      y.set(ownY, held * outputs);
      held = size;
      if (held < batchSize) continue;
      yield { x, y, size };
      held = 0;
    }
  }
  if (held > 0) yield { x: x.slice(0, held * inputs), y: y.slice(0, held * outputs), size: held };
}
