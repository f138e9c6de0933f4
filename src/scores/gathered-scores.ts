/** Picks the scores of pairs of nodes out of panels of all scores, as those come by. */
export class GatheredScores {
  /** For each layer pair the scores of the pairs of nodes, in their order */
  readonly perPair: Float64Array[];
  readonly #elements: Uint32Array;
  readonly #nodes: number;
  /** Places in the list by target, and where those of each target begin */
  readonly #rows: Uint32Array;
  readonly #starts: Uint32Array;

  /** @param elements `source * nodes + target` of each */
  constructor(elements: Uint32Array, nodes: number, pairs: number) {
    this.perPair = Array.from({ length: pairs }, () => new Float64Array(elements.length));
    this.#elements = elements;
    this.#nodes = nodes;
    this.#rows = new Uint32Array(elements.length);
    this.#starts = new Uint32Array(nodes + 1);
    for (const element of elements) this.#starts[(element % nodes) + 1]!++;
    for (let target = 0; target < nodes; target++) this.#starts[target + 1]! += this.#starts[target]!;
    const next = this.#starts.slice();
    for (let row = 0; row < elements.length; row++) this.#rows[next[elements[row]! % nodes]!++] = row;
  }

  /** @param scores row-major `[nodes, end - first]`, of targets `first .. end` */
  take(pair: number, first: number, end: number, scores: Float64Array): void {
    const [elements, nodes, rows, out] = [this.#elements, this.#nodes, this.#rows, this.perPair[pair]!];
    const width = end - first;
    for (let target = first; target < end; target++) {
      for (let at = this.#starts[target]!; at < this.#starts[target + 1]!; at++) {
        const row = rows[at]!;
        out[row] = scores[((elements[row]! - target) / nodes) * width + target - first]!;
      }
    }
  }
}
