import { productsWith, type PairSnapshot } from '../statistics/pair-snapshot.ts';
import { runYielding, type Yielder } from '../statistics/yielder.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import { scoredMoments } from './constant-nodes.ts';
import { flagConstants } from './node-flags.ts';
import { noSources, type SourceProducts } from './pair-source.ts';
import type { ScoreRequest } from './score-matrices.ts';
import type { TileScorer } from './score-statistics.ts';

/**
 * Scores of all nodes of a snapshot with some of them as targets, from the products that those need and no others.
 *
 * @param targets ascending
 * @param out receives `[nodes, targets.length]`, row-major
 * @param nodeFlags `[nodes]`, those of this layer pair are added
 */
export async function scoreFewTargets(
  pair: PairSnapshot,
  { score, conditioningSets, varianceFloor }: ScoreRequest,
  scoreTile: TileScorer,
  targets: Uint32Array,
  out: Float64Array,
  nodeFlags: Uint8Array,
  yielder: Yielder,
): Promise<void> {
  const { products, nodes, samples, x, y } = pair;
  const partial = score === 'partial';
  const members = partial ? membersOf(conditioningSets, targets) : new Uint32Array();
  const exact = partial ? await runYielding(pair.exactMoments(), yielder) : pair.moments;
  const moments = scoredMoments(exact, varianceFloor);
  flagConstants(moments, nodeFlags);
  const sources = partial
    ? new MemberProducts(nodes, members, await runYielding(productsWith(products, x, x, members), yielder))
    : noSources;
  const values = await runYielding(productsWith(products, x, y, targets), yielder);
  const basis = { nodes, samples, moments, sources };
  const stride = targets.length;
  for (const [t, target] of targets.entries()) {
    const tile = { values: values.subarray(t), stride, first: target, end: target + 1 };
    await scoreTile(basis, tile, { values: out, stride, first: target - t }, nodeFlags);
  }
}

/** All that some targets are conditioned on, ascending. */
export function membersOf({ offsets, indices }: RaggedIndices, targets: Iterable<number>): Uint32Array {
  const members = new Set<number>();
  for (const target of targets) {
    for (let at = offsets[target]!; at < offsets[target + 1]!; at++) members.add(indices[at]!);
  }
  return Uint32Array.from(members).sort();
}

/** The columns of X^T X that belong to members of conditioning sets: all that scores read of it. */
class MemberProducts implements SourceProducts {
  readonly #columns: Float64Array;
  readonly #count: number;
  /** Column of each member */
  readonly #columnOf: Uint32Array;

  /** @param columns row-major `[nodes, members.length]` */
  constructor(nodes: number, members: Uint32Array, columns: Float64Array) {
    this.#columns = columns;
    this.#count = members.length;
    this.#columnOf = new Uint32Array(nodes);
    members.forEach((member, column) => (this.#columnOf[member] = column));
  }

  at(member: number, other: number): number {
    return this.#columns[other * this.#count + this.#columnOf[member]!]!;
  }

  copyPart(member: number, first: number, end: number, out: Float64Array, to: number): void {
    const count = this.#count;
    let from = first * count + this.#columnOf[member]!;
    for (let i = first; i < end; i++, from += count) out[to + i - first] = this.#columns[from]!;
  }
}
