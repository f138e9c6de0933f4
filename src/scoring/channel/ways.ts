import { hasSums } from './sums.ts';
import type { ChannelSystem } from './system.ts';

/**
 * How B comes about. `primal`: from F'F and F'U, a system of source channels. `dual`: from FF', a system of observations,
 * for fewer of these than of source channels.
 */
export type Way = 'primal' | 'dual';

/** What a way costs, in multiplications and additions of float32. */
export interface Cost {
  /** Done by every thread that has a part */
  readonly fixed: number;
  /** Shared out with the parts */
  readonly divided: number;
}

/** Operations in float64 take about twice as long. */
const DOUBLE = 2;

export function costOf(system: ChannelSystem, way: Way): Cost {
  const { sources, targets, observations: n } = system;
  const [k, m] = [sources.channels.length, targets.channels.length];
  if (hasSums(system)) return { fixed: DOUBLE * k ** 3, divided: 2 * k * k * m };
  return way === 'dual'
    ? { fixed: n * n * k + DOUBLE * n ** 3, divided: 2 * n * n * k + 2 * n * k * m }
    : { fixed: n * k * k + DOUBLE * k ** 3, divided: 2 * n * k * m + 2 * k * k * m };
}

/** The cheaper way; of sums there is only one. */
export function cheaperWay(system: ChannelSystem): Way {
  if (hasSums(system)) return 'primal';
  const total = (way: Way): number => {
    const { fixed, divided } = costOf(system, way);
    return fixed + divided;
  };
  return total('dual') < total('primal') ? 'dual' : 'primal';
}

/** Part of a regression: some of the source nodes (`dual`) or of the target nodes (`primal`). */
export interface Part {
  /** Number of the system */
  readonly system: number;
  readonly way: Way;
  /** Nodes `first .. end` */
  readonly first: number;
  readonly end: number;
}

/**
 * Deals regressions out to threads, in order, so that all finish as early as they can: a thread may end within a regression
 * that the next one goes on with.
 *
 * @returns the parts of each thread; threads without any are left out
 */
export function dealSystems(systems: readonly ChannelSystem[], threads: number): Part[][] {
  const ways = systems.map(cheaperWay);
  const costs = systems.map((system, s) => costOf(system, ways[s]!));
  // Room for all of it, whatever is rounded.
  let [low, high] = [0, 1 + 2 * costs.reduce((sum, { fixed, divided }) => sum + fixed + divided, 0)];
  for (let step = 0; step < 40; step++) {
    const limit = (low + high) / 2;
    if (sharesWithin(costs, limit).length <= threads) high = limit;
    else low = limit;
  }
  return sharesWithin(costs, high)
    .map((share) =>
      share.flatMap(({ system, from, to }) => {
        const way = ways[system]!;
        const { starts } = way === 'dual' ? systems[system]!.sources : systems[system]!.targets;
        const [first, end] = [nodeAt(starts, from), nodeAt(starts, to)];
        return first < end ? [{ system, way, first, end }] : [];
      }),
    )
    .filter((parts) => parts.length > 0);
}

interface Share {
  readonly system: number;
  /** Shares of its columns, 0 to 1 */
  readonly from: number;
  readonly to: number;
}

/** A part that is smaller than this, of 1, is not worth what all parts have to do: the thread before takes it along. */
const SLIVER = 0.05;

/** Fills threads one after the other up to a limit of cost, more or less. */
function sharesWithin(costs: readonly Cost[], limit: number): Share[][] {
  const threads: Share[][] = [[]];
  let room = limit;
  costs.forEach(({ fixed, divided }, system) => {
    let from = 0;
    while (from < 1) {
      const fits = divided === 0 ? 1 : (room - fixed) / divided;
      const left = 1 - from;
      const isNew = threads.at(-1)!.length === 0;
      let own = fits >= left - SLIVER && (fits > 0 || isNew) ? left : fits;
      // A thread that is too small for anything takes something all the same: there would be no end.
      if (own < SLIVER) own = isNew ? SLIVER : 0;
      if (own > 0) {
        const to = own >= left ? 1 : from + own;
        threads.at(-1)!.push({ system, from, to });
        from = to;
        room -= fixed + own * divided;
      }
      if (from < 1) {
        threads.push([]);
        room = limit;
      }
    }
  });
  return threads;
}

/** The node at whose beginning that share of the columns lies. */
function nodeAt(starts: Uint32Array, share: number): number {
  const nodes = starts.length - 1;
  if (share >= 1) return nodes;
  const column = share * starts[nodes]!;
  let node = 0;
  while (node < nodes && starts[node + 1]! <= column) node++;
  return node;
}
