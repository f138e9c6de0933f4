import { MagnitudeEdgeError } from '../errors.ts';
import type { PairStatistics, SufficientStatistics } from './sufficient-statistics.ts';

/** Statistics of no samples about pivots at zero. */
export function emptyPair(nodes: number): PairStatistics {
  return {
    pivotX: new Float64Array(nodes),
    pivotY: new Float64Array(nodes),
    sumX: new Float64Array(nodes),
    sumY: new Float64Array(nodes),
    sumY2: new Float64Array(nodes),
    sumXY: new Float64Array(nodes * nodes),
    sumXX: new Float64Array(nodes * nodes),
  };
}

/** A deep copy, owned by the caller. */
export function copyStatistics(statistics: SufficientStatistics): SufficientStatistics {
  return { ...statistics, pairs: statistics.pairs.map(copyPair) };
}

/** Like {@link copyStatistics}, for one layer pair. */
export function copyPair(pair: PairStatistics): PairStatistics {
  return {
    pivotX: pair.pivotX.slice(),
    pivotY: pair.pivotY.slice(),
    sumX: pair.sumX.slice(),
    sumY: pair.sumY.slice(),
    sumY2: pair.sumY2.slice(),
    sumXY: pair.sumXY.slice(),
    sumXX: pair.sumXX.slice(),
    ...(pair.sumX2 ? { sumX2: pair.sumX2.slice() } : {}),
  };
}

/**
 * The same statistics about other pivots. With d = old pivot - new pivot, every deviation grows by d, so
 * `sum (a_i + dx_i)(b_j + dy_j) = sum a_i b_j + dx_i sum b_j + dy_j sum a_i + n dx_i dy_j`.
 */
export function shiftPivot(
  pair: PairStatistics,
  samples: number,
  pivotX: Float64Array,
  pivotY: Float64Array,
): PairStatistics {
  const shifted = emptyPair(pivotX.length);
  shifted.pivotX.set(pivotX);
  shifted.pivotY.set(pivotY);
  addShifted(shifted, pair, samples);
  return shifted;
}

/**
 * Adds one pair's statistics to another's, in place, about the pivots of the first.
 *
 * @param samples number of samples behind `pair`
 */
export function addShifted(into: PairStatistics, pair: PairStatistics, samples: number): void {
  const nodes = into.pivotX.length;
  const dx = into.pivotX.map((pivot, i) => pair.pivotX[i]! - pivot);
  const dy = into.pivotY.map((pivot, j) => pair.pivotY[j]! - pivot);
  for (let i = 0; i < nodes; i++) {
    const row = i * nodes;
    const dxi = dx[i]!;
    const sumXi = pair.sumX[i]!;
    const drift = sumXi + samples * dxi;
    for (let j = 0; j < nodes; j++) {
      const at = row + j;
      into.sumXY[at]! += pair.sumXY[at]! + dxi * pair.sumY[j]! + dy[j]! * drift;
      // Grouped so that (i, j) and (j, i) round alike and the matrix stays symmetric bit for bit.
      into.sumXX[at]! += pair.sumXX[at]! + (dxi * pair.sumX[j]! + dx[j]! * sumXi) + samples * (dxi * dx[j]!);
    }
  }
  for (let j = 0; j < nodes; j++) {
    if (into.sumX2) {
      const squares = pair.sumX2?.[j] ?? pair.sumXX[j * nodes + j]!;
      into.sumX2[j]! += squares + 2 * dx[j]! * pair.sumX[j]! + samples * dx[j]! * dx[j]!;
    }
    into.sumX[j]! += pair.sumX[j]! + samples * dx[j]!;
    into.sumY[j]! += pair.sumY[j]! + samples * dy[j]!;
    into.sumY2[j]! += pair.sumY2[j]! + 2 * dy[j]! * pair.sumY[j]! + samples * dy[j]! * dy[j]!;
  }
}

/**
 * Statistics over the samples of both: what one accumulator over all of them would hold, up to rounding, about the
 * pivots of `a` (of `b` if `a` holds no samples). The inputs do not change.
 *
 * @throws `graph-mismatch` if the numbers of nodes or of layer pairs differ
 */
export function mergeStatistics(a: SufficientStatistics, b: SufficientStatistics): SufficientStatistics {
  checkSameShape(a, b);
  if (a.samples === 0) return copyStatistics(b);
  const merged = copyStatistics(a);
  if (b.samples > 0)
    merged.pairs.forEach((pair, p) => {
      addShifted(pair, b.pairs[p]!, b.samples);
    });
  return { ...merged, samples: a.samples + b.samples };
}

/** @throws `graph-mismatch` if `found` has other numbers of nodes or layer pairs than `expected` */
export function checkSameShape(
  expected: { readonly nodes: number; readonly pairs: { readonly length: number } },
  found: SufficientStatistics,
): void {
  if (found.nodes === expected.nodes && found.pairs.length === expected.pairs.length) return;
  throw new MagnitudeEdgeError(
    'graph-mismatch',
    `Statistics of ${found.nodes} function nodes and ${found.pairs.length} layer pairs cannot join statistics of ` +
      `${expected.nodes} function nodes and ${expected.pairs.length} layer pairs.`,
    {
      details: {
        expectedNodes: expected.nodes,
        foundNodes: found.nodes,
        expectedPairs: expected.pairs.length,
        foundPairs: found.pairs.length,
      },
    },
  );
}
