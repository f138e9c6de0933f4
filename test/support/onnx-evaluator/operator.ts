import type { NdArray } from './array.ts';

/** One node's inputs and attributes, as an operator of the evaluator sees them. */
export interface Evaluation {
  /** Undefined for inputs that are left out. */
  readonly inputs: readonly (NdArray | undefined)[];
  readonly outputs: number;
  readonly input: (index: number) => NdArray;
  readonly int: (name: string, fallback: number) => number;
  readonly ints: (name: string) => readonly number[] | undefined;
  readonly float: (name: string, fallback: number) => number;
  readonly string: (name: string, fallback: string) => string;
  readonly tensor: (name: string) => NdArray | undefined;
}

export type Operator = (evaluation: Evaluation) => readonly NdArray[];

export function axisFromFront(axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis;
  if (result < 0 || result >= rank) throw new Error(`axis ${axis} of rank ${rank}`);
  return result;
}
