import type { MixedBlocks } from '../../statistics/mixed-blocks.ts';
import { dual } from './dual.ts';
import { primal } from './primal.ts';
import type { RowOrder } from './rows.ts';
import type { ChannelSystem } from './system.ts';
import type { Part } from './ways.ts';

/**
 * Squared norms of the blocks of B for a part of a regression, over the channels of the target (method.md, "Channel scores"):
 * for `dual` those of some sources with all targets, row-major `[end - first, nodes]`; for `primal` those of all sources with
 * some targets, `[nodes, end - first]`. NaN where one of the two has no column.
 */
export type PartNorms = Float32Array;

/**
 * Does a part of a regression, and again with other orders of the rows of U: what comes of the order alone is done once.
 *
 * @param orders which row of U belongs to each row of F, per segment; undefined for its own
 * @returns one result for each of the orders; yields some milliseconds of work apart
 * @throws `out-of-memory`
 */
export function* regress(
  memory: MixedBlocks,
  system: ChannelSystem,
  part: Omit<Part, 'system'>,
  orders: readonly RowOrder[] = [undefined],
): Generator<undefined, PartNorms[], undefined> {
  const way = part.way === 'dual' ? dual : primal;
  return yield* way(memory, system, [part.first, part.end], orders);
}
