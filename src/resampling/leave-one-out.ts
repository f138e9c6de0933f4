import { mergeStatistics } from '../statistics/merge.ts';
import type { Yielder } from '../statistics/yielder.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';

/** Statistics without one of the groups that they were merged from. */
export interface LeftOut {
  /** Index of the group that is left out */
  readonly group: number;
  readonly statistics: SufficientStatistics;
}

/**
 * Statistics over all samples except one group, for each group in turn, by merging alone. Subtracting a group from the
 * total would leave little but rounding error if that group holds most of the variance, which is when leaving it out
 * matters most. Each half of the groups is merged into the starting point of the other half: `g log2 g` merges for g
 * groups, and `log2 g` statistics held at a time.
 *
 * @param groups statistics over disjoint samples, of one shape; at least two
 * @param yielder called between merges
 */
export async function* leaveOneOut(
  groups: readonly SufficientStatistics[],
  yielder: Yielder,
): AsyncGenerator<LeftOut, void, undefined> {
  yield* withoutEach(groups, 0, groups.length, undefined, yielder);
}

/**
 * Statistics over the samples of all groups.
 *
 * @param groups of one shape; at least one
 * @param yielder called between merges
 */
export async function mergeAll(
  groups: readonly SufficientStatistics[],
  yielder: Yielder,
): Promise<SufficientStatistics> {
  const [first, ...others] = groups;
  let merged = first!;
  for (const group of others) {
    merged = mergeStatistics(merged, group);
    await yielder();
  }
  return merged;
}

/** @param outside statistics over the groups before `first` and from `end` on; undefined if there are none */
async function* withoutEach(
  groups: readonly SufficientStatistics[],
  first: number,
  end: number,
  outside: SufficientStatistics | undefined,
  yielder: Yielder,
): AsyncGenerator<LeftOut, void, undefined> {
  if (end - first === 1) {
    if (outside !== undefined) yield { group: first, statistics: outside };
    return;
  }
  const middle = (first + end) >> 1;
  const outsideAnd = (half: readonly SufficientStatistics[]): Promise<SufficientStatistics> =>
    mergeAll(outside === undefined ? half : [outside, ...half], yielder);
  yield* withoutEach(groups, first, middle, await outsideAnd(groups.slice(middle, end)), yielder);
  yield* withoutEach(groups, middle, end, await outsideAnd(groups.slice(first, middle)), yielder);
}
