import { runYielding, type Yielder } from '../statistics/yielder.ts';
import { sortedOrder, sortRows, type FloatArray } from './order.ts';
import { gather } from './gather.ts';
import { pValuesOf } from './p-values.ts';
import type { ScoreThreads } from './score-threads.ts';
import { benjaminiHochberg } from '../scoring/significance.ts';
import { sortWithPayload } from './sort-with-payload.ts';

/** Ordered pairs of nodes in the order of the edge table: by score, descending, NaN last, ties by (source, target). */
export interface RankedPairs {
  /** `source * nodes + target` of each row */
  readonly elements: Uint32Array;
  /** Aggregated scores */
  readonly corr: Float64Array | Float32Array;
  /** One-sided p-values */
  readonly p: Float64Array;
  /** Benjamini-Hochberg over all rows */
  readonly q: Float64Array;
}

/** {@link RankedPairs} with scores of the layer pairs. */
export interface RankedWithPairs extends RankedPairs {
  /** In the order of the rows; none where none were handed in */
  readonly perPair: readonly FloatArray[];
}

/** How pairs are ranked. */
export interface RankSettings {
  /** Leaves out i -> i */
  readonly excludeSelf: boolean;
  /** n */
  readonly samples: number;
  /** |S_j| of each target for partial scores */
  readonly conditioned: Int32Array | undefined;
  /** Called between pieces of work */
  readonly yielder: Yielder;
}

/**
 * Sorts all pairs by score and gives each its p and q (method.md, "Significance").
 *
 * @param scores aggregated scores, row-major `[nodes, nodes]`
 * @param perPair scores of the layer pairs, to be put in the same order
 * @param threads compute p meanwhile; what they cannot do is done here
 */
export async function rankPairs(
  scores: FloatArray,
  nodes: number,
  { excludeSelf, samples, conditioned, yielder }: RankSettings,
  perPair?: readonly FloatArray[],
  threads?: Pick<ScoreThreads, 'pValues'>,
): Promise<RankedWithPairs> {
  const skip = excludeSelf ? nodes + 1 : undefined;
  const together = perPair && (await runYielding(sortWithPayload(scores, 'descending', skip), yielder));
  const { rows: elements, values: corr } = together ?? sortRows(scores, 'descending', skip);
  await yielder();
  const rows = { scores: corr, samples, conditioning: conditioned && { elements, sizes: conditioned } };
  // Other threads may end any time: their engine may be released while its scores live on.
  const asked = threads?.pValues(rows).catch(() => undefined);
  const others = perPair && together ? await runYielding(together.others(perPair), yielder) : [];
  const p = (await asked) ?? (await pValuesOf(rows, yielder));
  const q = qValuesOf(p, conditioned);
  await yielder();
  return { elements, corr, p, q, perPair: others };
}

/** q of rows in the order of their scores. @param conditioned |S_j| of each target for partial scores */
export function qValuesOf(p: Float64Array, conditioned: Int32Array | undefined): Float64Array {
  // Where all targets have the same degrees of freedom, p rises as the score falls: the rows are in its order.
  const sameFreedom = conditioned?.every((size) => size === conditioned[0]) ?? true;
  return benjaminiHochberg(p, sameFreedom ? undefined : sortedOrder(p, 'ascending'));
}

/** Only those rows, in that order. */
export function pickRows(pairs: RankedPairs, rows: Uint32Array): RankedPairs {
  return {
    elements: pickElements(pairs.elements, rows),
    corr: gather(pairs.corr, rows),
    p: gather(pairs.p, rows),
    q: gather(pairs.q, rows),
  };
}

function pickElements(elements: Uint32Array, at: Uint32Array): Uint32Array {
  const picked = new Uint32Array(at.length);
  for (let k = 0; k < at.length; k++) picked[k] = elements[at[k]!]!;
  return picked;
}
