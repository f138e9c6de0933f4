import { checkSameShape, shiftPivot } from './merge.ts';
import type { PairStatistics, SufficientStatistics } from './sufficient-statistics.ts';

/**
 * Statistics over the samples of `all` that are not among those of `part`: undoes a merge, up to rounding. The inputs
 * stay as they are.
 *
 * @param part statistics over some of the samples of `all`
 * @throws `graph-mismatch` where the numbers of nodes or of layer pairs differ
 */
export function subtractStatistics(
  all: SufficientStatistics,
  part: SufficientStatistics,
): SufficientStatistics {
  checkSameShape(all, part);
  const pairs = all.pairs.map((pair, p): PairStatistics => {
    const taken = shiftPivot(part.pairs[p]!, part.samples, pair.pivotX, pair.pivotY);
    return {
      pivotX: pair.pivotX,
      pivotY: pair.pivotY,
      sumX: difference(pair.sumX, taken.sumX),
      sumY: difference(pair.sumY, taken.sumY),
      sumY2: difference(pair.sumY2, taken.sumY2),
      sumXY: difference(pair.sumXY, taken.sumXY),
      sumXX: difference(pair.sumXX, taken.sumXX),
    };
  });
  return { nodes: all.nodes, samples: all.samples - part.samples, pairs };
}

/** `a - b`, in the array of `b`. */
function difference(a: Float64Array, b: Float64Array): Float64Array {
  for (let k = 0; k < b.length; k++) b[k] = a[k]! - b[k]!;
  return b;
}
