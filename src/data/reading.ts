import type { MemoryBudget } from '../columns/memory-budget.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import type { Samples } from './matrix.ts';

/** What reading a source takes beside its bytes. */
export interface Reading {
  /** Whose input and output nodes the columns stand for */
  readonly graph: GsnnGraph;
  /** What messages call the source */
  readonly name: string;
  readonly budget: MemoryBudget;
  /** Whether a target may be missing (null, an empty cell, NA); it reads as NaN */
  readonly missingTargets: boolean;
}

/** Reads a file of one format. */
export type ReadSamples = (bytes: Uint8Array, reading: Reading) => Samples | Promise<Samples>;

/** What a message about a missing target adds: the way out, in the words of the library. */
export const missingTargetHint = ' (maskMissingTargets: true leaves missing targets out of the loss)';

/** The details of an error that has that way out; whoever has other words for it finds it here. */
export const missingTargetOption = { option: 'maskMissingTargets' } as const;

interface Shape {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Checks the sizes of inputs and targets against the model, and with each other.
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
