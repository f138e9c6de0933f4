import type { RaggedIndices } from '../statistics/ragged.ts';
import type { ScoreRequest } from './score-matrices.ts';

/** Most bytes of scores that an engine keeps for the next request. */
export const KEPT_BYTES = 2 ** 29;

/**
 * The targets whose scores differ between two requests over the same samples, ascending; undefined for all of them. The
 * aggregation is ignored: it affects no score of a layer pair.
 */
export function targetsToScore(before: ScoreRequest, now: ScoreRequest): Uint32Array | undefined {
  if (before.score !== now.score || before.varianceFloor !== now.varianceFloor) return undefined;
  if (now.score === 'corr') return new Uint32Array();
  if (before.ridge !== now.ridge) return undefined;
  const nodes = now.conditioningSets.offsets.length - 1;
  const differing: number[] = [];
  for (let target = 0; target < nodes; target++) {
    if (!sameSet(before.conditioningSets, now.conditioningSets, target)) differing.push(target);
  }
  // Scoring most targets takes as long as scoring all of them.
  return differing.length > nodes / 2 ? undefined : Uint32Array.from(differing);
}

function sameSet(a: RaggedIndices, b: RaggedIndices, target: number): boolean {
  const size = a.offsets[target + 1]! - a.offsets[target]!;
  if (size !== b.offsets[target + 1]! - b.offsets[target]!) return false;
  for (let k = 0; k < size; k++) {
    if (a.indices[a.offsets[target]! + k] !== b.indices[b.offsets[target]! + k]) return false;
  }
  return true;
}
