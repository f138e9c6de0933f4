import type { LossBatch } from '../model/loss-batches.ts';
import type { RowMajorValues } from './row-major.ts';

/** Samples that go through the model together. */
export interface Batch {
  /** Inputs, `[size, inputs]`: row-major, or a list of rows */
  readonly x: RowMajorValues;
  /** Targets, `[size, outputs]`: row-major, or a list of rows */
  readonly y: RowMajorValues;
  /** B, samples in the batch */
  readonly size: number;
  /**
   * The batches that a mean loss is taken over, in the order of the samples, if this one holds several or a part of one.
   * Default: this batch. Not for a custom loss or the mean of a joint export.
   */
  readonly lossBatches?: readonly LossBatch[] | undefined;
}
