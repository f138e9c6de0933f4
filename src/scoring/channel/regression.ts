import type { MixedBlocks } from '../../statistics/mixed-blocks.ts';
import { dual } from './dual.ts';
import { primal } from './primal.ts';
import { factorLength, factorRidge, type Ridge, type RidgeFactor } from './ridge-factor.ts';
import type { RowOrder } from './rows.ts';
import { systemGram } from './system-gram.ts';
import type { ChannelSystem } from './system.ts';
import { systemSize, type Part, type RidgeForm } from './ridge-form.ts';

/**
 * Squared norms of the blocks of B for a part of a regression, over the channels of the target (method.md, "Channel
 * scores"): for `dual` those of some sources with all targets, row-major `[end - first, nodes]`; for `primal` those of
 * all sources with some targets, `[nodes, end - first]`. NaN if either has no column.
 */
export type PartNorms = Float32Array;

/** The system that a form factors. */
export function ridgeOf(system: ChannelSystem, form: RidgeForm): Ridge {
  const { observations, lambda } = system;
  return { size: systemSize(system, form), observations, lambda };
}

/**
 * Computes a part of a regression whose system has been factored, for one or more orders of the rows of U; work that
 * does not depend on the order is done once.
 *
 * @param orders which row of U belongs to each row of F, per segment; undefined for its own
 * @returns one result for each of the orders; yields some milliseconds of work apart
 * @throws RangeError, `out-of-memory`
 */
export function partNorms(
  memory: MixedBlocks,
  system: ChannelSystem,
  { form, first, end }: Part,
  factor: RidgeFactor,
  orders: readonly RowOrder[],
): Generator<undefined, PartNorms[], undefined> {
  return (form === 'dual' ? dual : primal)(memory, system, [first, end], factor, orders);
}

/** All steps of a regression: the matrix of the system, its factor, a part. See {@link partNorms}. */
export function* regress(
  memory: MixedBlocks,
  system: ChannelSystem,
  part: Part,
  orders: readonly RowOrder[] = [undefined],
): Generator<undefined, PartNorms[], undefined> {
  const ridge = ridgeOf(system, part.form);
  const gram = yield* systemGram(memory, system, part.form, [0, ridge.size]);
  const factor = new Float32Array(factorLength(ridge.size));
  yield* factorRidge(memory, [gram], ridge, factor);
  return yield* partNorms(memory, system, part, factor, orders);
}
