import type { Yielder } from '../statistics/yielder.ts';
import type { FloatArray } from './order.ts';
import { rootOfFreedom, type DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import type { ScoredElements } from './score-scanner.ts';
import { upperTailPValues } from './upper-tail-p-values.ts';

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
const STEP = 1 << 16;

/** One-sided p of each row (method.md, "Significance"). @param yielder called between pieces of work */
export async function pValuesOf(rows: PValueRows, yielder: Yielder): Promise<Float64Array> {
  const { scores, samples, conditioning } = rows;
  const p = new Float64Array(scores.length);
  const sizes = conditioning?.sizes ?? Int32Array.of(0);
  const alike = sizes.every((size) => size === sizes[0]);
  const rootsOfTargets = Float64Array.from(sizes, (size) => rootOfFreedom(samples, size));
  const roots = alike ? rootsOfTargets[0]! : new Float64Array(scores.length);
  for (let start = 0; start < p.length; start += STEP) {
    const end = Math.min(start + STEP, p.length);
    if (typeof roots !== 'number') takeRoots(conditioning!.elements, rootsOfTargets, roots, start, end);
    upperTailPValues(scores, roots, p, start, end);
    await yielder();
  }
  return p;
}

// A function of its own: engines leave loops inside async functions half optimised.
function takeRoots(
  elements: Uint32Array,
  ofTargets: Float64Array,
  roots: Float64Array,
  start: number,
  end: number,
): void {
  const nodes = ofTargets.length;
  for (let row = start; row < end; row++) roots[row] = ofTargets[elements[row]! % nodes]!;
}

/**
 * One-sided p of rows `first .. end` of a matrix of scores, row-major `[rows, targets]`.
 *
 * @param roots square root of the degrees of freedom of each target
 */
export function pValuesOfMatrix(
  scores: FloatArray,
  roots: Float64Array,
  p: Float64Array,
  first: number,
  end: number,
): void {
  const targets = roots.length;
  for (let row = first; row < end; row++) {
    const [from, to] = [row * targets, (row + 1) * targets];
    upperTailPValues(scores.subarray(from, to), roots, p.subarray(from, to), 0, targets);
  }
}

/** One-sided p of pairs, at once. */
export function pValuesOfPairs(
  { elements, scores }: ScoredElements,
  { classOf, roots }: DegreesOfFreedomGroups,
): Float64Array {
  const nodes = classOf.length;
  const p = new Float64Array(elements.length);
  const rootOf =
    roots.length === 1
      ? roots[0]!
      : Float64Array.from(elements, (element) => roots[classOf[element % nodes]!]!);
  upperTailPValues(scores, rootOf, p, 0, p.length);
  return p;
}
