import { regroups, type BatchSizes } from '../model/batch-sizes.ts';
import { wholeLossBatch, type LossBatch } from '../model/loss-batches.ts';
import type { Batch } from './batch.ts';

/**
 * Divides samples into batches for the model: whole batches of the loss, or equal parts of one. No batch holds parts of
 * several, so that the targets of a batch of the loss are counted before any part of it is run.
 */
export class Grouping implements BatchSizes {
  readonly batchSize: number;
  readonly lossBatchSize: number;

  constructor({ batchSize, lossBatchSize }: BatchSizes) {
    this.batchSize = batchSize;
    this.lossBatchSize = lossBatchSize;
  }

  /** Samples to collect before they are divided: a whole number of batches of either kind. */
  get blockSize(): number {
    return Math.max(this.batchSize, this.lossBatchSize);
  }

  /** The number of batches of so many samples. */
  count(samples: number): number {
    const rest = samples % this.blockSize;
    return ((samples - rest) / this.blockSize) * this.#parts + Math.ceil(rest / this.batchSize);
  }

  /** Where a batch is: samples before its block, and batches before it in the block. */
  place(batch: number): { readonly samples: number; readonly batches: number } {
    const batches = batch % this.#parts;
    return { samples: ((batch - batches) / this.#parts) * this.blockSize, batches };
  }

  /** The batches of a block of `blockSize` samples or, at the end, fewer: views. */
  divide(block: DenseBatch): readonly Batch[] {
    if (!regroups(this)) return [block];
    const { size, y } = block;
    const outputs = y.length / size;
    const lossBatches = ranges(size, this.lossBatchSize).map(([from, to]) =>
      wholeLossBatch(y.subarray(from * outputs, to * outputs), to - from),
    );
    if (this.#parts === 1) return [{ ...block, lossBatches }];
    const [whole] = lossBatches as [LossBatch];
    return ranges(size, this.batchSize).map(([from, to]) => ({
      ...samplesOf(block, from, to),
      lossBatches: [{ ...whole, samples: to - from }],
    }));
  }

  get #parts(): number {
    return Math.ceil(this.lossBatchSize / this.batchSize);
  }
}

/** A batch in arrays. */
export interface DenseBatch extends Batch {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

function samplesOf({ x, y, size }: DenseBatch, from: number, to: number): DenseBatch {
  const cut = (values: Float32Array): Float32Array =>
    values.subarray((from * values.length) / size, (to * values.length) / size);
  return { x: cut(x), y: cut(y), size: to - from };
}

function ranges(size: number, step: number): readonly (readonly [from: number, to: number])[] {
  return Array.from({ length: Math.ceil(size / step) }, (_, part) => [
    part * step,
    Math.min((part + 1) * step, size),
  ]);
}
