import type { RowsByTarget } from './by-target.ts';

/** Gathers the scores of given pairs of nodes from panels of all scores, as these arrive. */
export class GatheredScores {
  /** For each layer pair the scores of the pairs of nodes, in their order */
  readonly perPair: Float64Array[];
  readonly #pairIndices: Uint32Array;
  readonly #nodes: number;
  readonly #byTarget: RowsByTarget;

  /** @param pairIndices `source * nodes + target` of each @param byTarget of the pairs */
  constructor(pairIndices: Uint32Array, nodes: number, pairs: number, byTarget: RowsByTarget) {
    this.perPair = Array.from({ length: pairs }, () => new Float64Array(pairIndices.length));
    this.#pairIndices = pairIndices;
    this.#nodes = nodes;
    this.#byTarget = byTarget;
  }

  /** @param scores row-major `[nodes, end - first]`, of targets `first .. end` */
  take(pair: number, first: number, end: number, scores: Float64Array): void {
    const [pairIndices, nodes, out] = [this.#pairIndices, this.#nodes, this.perPair[pair]!];
    const { rows, starts } = this.#byTarget;
    const width = end - first;
    for (let target = first; target < end; target++) {
      for (let at = starts[target]!; at < starts[target + 1]!; at++) {
        const row = rows[at]!;
        out[row] = scores[((pairIndices[row]! - target) / nodes) * width + target - first]!;
      }
    }
  }
}
