import { mergeStatistics } from './merge.ts';
import type { SufficientStatistics } from './sufficient-statistics.ts';

/** Statistics without one of the groups that they were merged from. */
export interface LeftOut {
  /** Index of the group that is left out */
  readonly group: number;
  readonly statistics: SufficientStatistics;
}

/**
 * Statistics over all samples but those of one group, for each group in turn, by merging alone. Subtracting a group from
 * the total would leave little but rounding where that group holds most of the variance, which is where leaving it out
 * matters most. Each half of the groups is merged into what the other half starts from: `g log2 g` merges for g groups,
 * and `log2 g` statistics held at a time.
 *
 * @param groups statistics over disjoint samples, of one shape; at least two
 */
export function* leaveOneOut(groups: readonly SufficientStatistics[]): Generator<LeftOut> {
  yield* withoutEach(groups, 0, groups.length, undefined);
}

/** @param outside statistics over the groups before `first` and from `end` on; undefined where there are none */
function* withoutEach(
  groups: readonly SufficientStatistics[],
  first: number,
  end: number,
  outside: SufficientStatistics | undefined,
): Generator<LeftOut> {
  if (end - first === 1) {
    if (outside !== undefined) yield { group: first, statistics: outside };
    return;
  }
  const middle = (first + end) >> 1;
  yield* withoutEach(groups, first, middle, merged(outside, groups.slice(middle, end)));
  yield* withoutEach(groups, middle, end, merged(outside, groups.slice(first, middle)));
}

function merged(
  start: SufficientStatistics | undefined,
  groups: readonly SufficientStatistics[],
): SufficientStatistics | undefined {
  return groups.reduce<SufficientStatistics | undefined>(
    (sum, group) => (sum === undefined ? group : mergeStatistics(sum, group)),
    start,
  );
}
