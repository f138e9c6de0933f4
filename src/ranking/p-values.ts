import { rootsOfTargets, type DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import type { FloatArray } from './order.ts';
import type { ScoredPairs } from './score-scanner.ts';
import { upperTailPValues } from './upper-tail-p-values.ts';

/** Values processed between two yields. */
const STEP = 1 << 18;

/**
 * One-sided p of rows `first .. end` of a matrix of scores, row-major `[rows, targets]` (method.md, "Significance").
 * Yields some milliseconds of work apart.
 *
 * @param roots square root of the degrees of freedom of each target
 */
export function* pValuesOfRows(
  scores: FloatArray,
  roots: Float64Array,
  p: Float64Array,
  first: number,
  end: number,
): Generator<undefined, void, undefined> {
  const targets = roots.length;
  const step = Math.max(1, Math.floor(STEP / targets));
  const allEqual = roots.every((root) => root === roots[0]);
  for (let start = first; start < end; start += step) {
    const stop = Math.min(start + step, end);
    if (allEqual) upperTailPValues(scores, roots[0]!, p, start * targets, stop * targets);
    else ofRows(scores, roots, p, start, stop);
    yield;
  }
}

// The loops are functions of their own: engines leave loops inside generators half optimised.
function ofRows(scores: FloatArray, roots: Float64Array, p: Float64Array, first: number, end: number): void {
  const targets = roots.length;
  for (let row = first; row < end; row++) {
    const [from, to] = [row * targets, (row + 1) * targets];
    upperTailPValues(scores.subarray(from, to), roots, p.subarray(from, to), 0, targets);
  }
}

/** One-sided p of pairs. Yields some milliseconds of work apart. */
export function* pValuesOfPairs(
  { pairIndices, scores }: ScoredPairs,
  dfGroups: DegreesOfFreedomGroups,
): Generator<undefined, Float64Array, undefined> {
  const p = new Float64Array(pairIndices.length);
  const ofTargets = rootsOfTargets(dfGroups);
  const allEqual = dfGroups.roots.length === 1;
  const roots = allEqual ? dfGroups.roots[0]! : new Float64Array(p.length);
  for (let first = 0; first < p.length; first += STEP) {
    const end = Math.min(first + STEP, p.length);
    if (typeof roots !== 'number') lookUpRoots(pairIndices, ofTargets, roots, first, end);
    upperTailPValues(scores, roots, p, first, end);
    yield;
  }
  return p;
}

function lookUpRoots(
  pairIndices: Uint32Array,
  ofTargets: Float64Array,
  roots: Float64Array,
  first: number,
  end: number,
): void {
  const nodes = ofTargets.length;
  for (let row = first; row < end; row++) roots[row] = ofTargets[pairIndices[row]! % nodes]!;
}
