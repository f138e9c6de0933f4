import type { Pacer } from '../statistics/pacer.ts';
import { fisherPValue } from './significance.ts';

/** Rows, and what their p-values follow from. */
export interface PValueRows {
  /** Aggregated scores */
  readonly scores: Float64Array | Float32Array;
  /** n */
  readonly samples: number;
  /** For partial scores */
  readonly conditioning:
    | {
        /** `source * nodes + target` of each row */
        readonly elements: Uint32Array;
        /** |S_j| of each target */
        readonly sizes: Int32Array;
      }
    | undefined;
}

/** Rows `first .. end`, in arrays of their own. */
export function copyRows(
  { scores, samples, conditioning }: PValueRows,
  first: number,
  end: number,
): PValueRows {
  return {
    scores: scores.slice(first, end),
    samples,
    conditioning: conditioning && {
      elements: conditioning.elements.slice(first, end),
      sizes: conditioning.sizes.slice(),
    },
  };
}

/** Rows handled between two looks at the clock. */
const STEP = 1 << 15;

/** One-sided p of each row (method.md, "Significance"). @param pace called between pieces of work */
export async function pValuesOf(rows: PValueRows, pace: Pacer): Promise<Float64Array> {
  const { scores, samples, conditioning } = rows;
  const p = new Float64Array(scores.length);
  for (let start = 0; start < p.length; start += STEP) {
    const end = Math.min(start + STEP, p.length);
    if (conditioning === undefined) plainPValues(scores, samples, p, start, end);
    else partialPValues(scores, samples, conditioning, p, start, end);
    await pace();
  }
  return p;
}

// The loops over rows are functions of their own: engines leave loops inside async functions half optimised.

function plainPValues(
  scores: Float64Array | Float32Array,
  samples: number,
  p: Float64Array,
  start: number,
  end: number,
): void {
  for (let row = start; row < end; row++) p[row] = fisherPValue(scores[row]!, samples, 0);
}

function partialPValues(
  scores: Float64Array | Float32Array,
  samples: number,
  { elements, sizes }: NonNullable<PValueRows['conditioning']>,
  p: Float64Array,
  start: number,
  end: number,
): void {
  const nodes = sizes.length;
  for (let row = start; row < end; row++) {
    p[row] = fisherPValue(scores[row]!, samples, sizes[elements[row]! % nodes]!);
  }
}
