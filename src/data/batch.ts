import type { RowMajorValues } from './row-major.ts';

/** Samples that go through the model together. */
export interface Batch {
  /** Inputs, `[size, inputs]`: row-major, or a list of rows */
  readonly x: RowMajorValues;
  /** Targets, `[size, outputs]`: row-major, or a list of rows */
  readonly y: RowMajorValues;
  /** B, samples in the batch */
  readonly size: number;
}
