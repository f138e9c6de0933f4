import type { ByteSource } from '../bytes/byte-source.ts';
import type { MemoryBudget } from '../columns/memory-budget.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import type { Samples } from './matrix.ts';

/** What reading a source needs in addition to its bytes. */
export interface Reading {
  /** Whose input and output nodes the columns stand for */
  readonly graph: GsnnGraph;
  /** The source's name in error messages */
  readonly name: string;
  readonly budget: MemoryBudget;
  /** Whether a target may be missing (null, an empty cell, NA); it reads as NaN */
  readonly missingTargets: boolean;
}

/** A source of samples that is read block by block, holding only some rows at a time. */
export interface OpenSamples {
  /** Number of samples n; undefined if unknown before the end */
  readonly rows: number | undefined;
  /**
   * The samples in order, block by block, from sample `first` on.
   * @param first number of the first sample; 0 if n is unknown
   * @throws MagnitudeEdgeError `invalid-data`, `out-of-memory` if even one block exceeds the budget
   */
  blocks(first: number): AsyncGenerator<Samples, void, undefined>;
}

/** Opens a file of one format. @throws MagnitudeEdgeError `invalid-data`, `batch-mismatch` */
export type OpenFormat = (source: ByteSource, reading: Reading) => OpenSamples | Promise<OpenSamples>;

/** Added to messages about a missing target: the remedy, in the library's terms. */
export const missingTargetHint = ' (maskMissingTargets: true leaves missing targets out of the loss)';

/** Error details that go with this remedy, for callers that word it differently. */
export const missingTargetOption = { option: 'maskMissingTargets' } as const;

interface Shape {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Checks the sizes of inputs and targets against the model and each other.
 * @throws MagnitudeEdgeError `batch-mismatch`
 */
export function checkShapes(
  { x, y }: { readonly x: Shape; readonly y: Shape },
  { graph, name }: Pick<Reading, 'graph' | 'name'>,
): void {
  const refuse = (why: string): never => {
    throw new MagnitudeEdgeError('batch-mismatch', `${name}: ${why}.`, { details: { source: name } });
  };
  const { input, output } = graph.nodeNames;
  if (x.columns !== input.length) {
    refuse(`x has ${x.columns} columns, but the model has ${input.length} input nodes`);
  }
  if (y.columns !== output.length) {
    refuse(`y has ${y.columns} columns, but the model has ${output.length} output nodes`);
  }
  if (x.rows !== y.rows) refuse(`x holds ${x.rows} samples, but y holds ${y.rows}`);
}
