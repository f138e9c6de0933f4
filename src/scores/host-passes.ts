import type { Pacer } from '../statistics/pacer.ts';
import { pick } from './ranked-pairs.ts';
import type { ScoreMatrices } from './score-matrices.ts';
import type { ScoredElements, ScorePasses } from './score-passes.ts';
import { BinLookup, type Thresholds } from './thresholds.ts';

/** Sources looked at between two looks at the clock. */
const STEP = 64;

/** {@link ScorePasses} over matrices on the host. */
export class HostPasses implements ScorePasses {
  readonly nodes: number;
  readonly #matrices: ScoreMatrices;
  readonly #classOf: ArrayLike<number>;
  readonly #pace: Pacer;

  /** @param classOf class of each target; see `FreedomClasses` */
  constructor(matrices: ScoreMatrices, classOf: ArrayLike<number>, pace: Pacer) {
    this.nodes = matrices.nodes;
    this.#matrices = matrices;
    this.#classOf = classOf;
    this.#pace = pace;
  }

  async count(thresholds: Thresholds): Promise<Uint32Array> {
    const bins = new BinLookup(thresholds);
    const counts = new Uint32Array(thresholds.count + 1);
    for (let first = 0; first < this.nodes; first += STEP) {
      countRows(this.#matrices, this.#classOf, bins, first, Math.min(first + STEP, this.nodes), counts);
      await this.#pace();
    }
    return counts;
  }

  async collect(thresholds: Thresholds, wanted: Uint8Array, most: number): Promise<ScoredElements> {
    const bins = new BinLookup(thresholds);
    const elements = new Uint32Array(most);
    let found = 0;
    for (let first = 0; first < this.nodes; first += STEP) {
      const end = Math.min(first + STEP, this.nodes);
      found = collectRows(this.#matrices, this.#classOf, bins, wanted, first, end, elements, found);
      await this.#pace();
    }
    return { elements, scores: pick(this.#matrices.aggregated, elements) };
  }

  aggregatedAt(elements: Uint32Array): Promise<Float64Array | Float32Array> {
    return Promise.resolve(pick(this.#matrices.aggregated, elements));
  }

  perPairAt(elements: Uint32Array): Promise<(Float64Array | Float32Array)[]> {
    return Promise.resolve(this.#matrices.perPair.map((matrix) => pick(matrix, elements)));
  }
}

// The loops are functions of their own: engines leave loops inside async functions half optimised.

function countRows(
  { aggregated, nodes }: ScoreMatrices,
  classOf: ArrayLike<number>,
  bins: BinLookup,
  first: number,
  end: number,
  counts: Uint32Array,
): void {
  for (let source = first; source < end; source++) {
    const row = source * nodes;
    for (let target = 0; target < nodes; target++) {
      const score = aggregated[row + target]!;
      if (score === score) counts[bins.binOf(classOf[target]!, score)]!++;
    }
  }
}

function collectRows(
  { aggregated, nodes }: ScoreMatrices,
  classOf: ArrayLike<number>,
  bins: BinLookup,
  wanted: Uint8Array,
  first: number,
  end: number,
  elements: Uint32Array,
  found: number,
): number {
  for (let source = first; source < end; source++) {
    const row = source * nodes;
    for (let target = 0; target < nodes; target++) {
      const score = aggregated[row + target]!;
      if (score === score && wanted[bins.binOf(classOf[target]!, score)] === 1)
        elements[found++] = row + target;
    }
  }
  return found;
}
