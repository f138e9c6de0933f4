import { discard } from '../statistics/discard.ts';
import type { LayerAggregation } from './score-matrices.ts';

/**
 * Aggregated scores (method.md, "Aggregation over pairs") of layer pairs that arrive one by one and are not kept. The
 * same operations in the same order as {@link aggregatePairs}, and so the same bits.
 */
export class RunningAggregate {
  /** Row-major `[nodes, width]`, owned by the caller; final once all layer pairs have been added */
  readonly values: Float64Array;
  readonly #width: number;
  readonly #pairs: number;
  /** Number of pairs with a score; for means */
  readonly #counts: Uint8Array | Uint16Array | undefined;

  /**
   * @param values row-major `[nodes, width]`, to be filled
   * @throws RangeError if memory for the counts runs out
   */
  constructor(values: Float64Array, width: number, pairs: number, layerAgg: LayerAggregation) {
    this.values = values;
    this.#width = width;
    this.#pairs = pairs;
    if (layerAgg === 'mean') {
      this.#counts = pairs < 2 ** 8 ? new Uint8Array(values.length) : new Uint16Array(values.length);
    }
  }

  /** Frees its memory, except the values. */
  release(): void {
    if (this.#counts !== undefined) discard(this.#counts);
  }

  /**
   * Adds the scores of one layer pair with targets `first .. end`; all earlier pairs must have been added for them.
   *
   * @param scores row-major `[nodes, end - first]`
   */
  add(pair: number, first: number, end: number, scores: Float64Array): void {
    const [values, counts] = [this.values, this.#counts];
    const last = pair === this.#pairs - 1;
    const width = end - first;
    for (let from = 0, to = first; to < values.length; from += width, to += this.#width) {
      const own = scores.subarray(from, from + width);
      const sums = values.subarray(to, to + width);
      if (counts === undefined) addMax(own, sums, pair === 0);
      else addMean(own, sums, counts.subarray(to, to + width), pair === 0, last);
    }
  }
}

function addMean(
  scores: Float64Array,
  values: Float64Array,
  counts: Uint8Array | Uint16Array,
  first: boolean,
  last: boolean,
): void {
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at]!;
    let sum = first ? 0 : values[at]!;
    let scored = first ? 0 : counts[at]!;
    if (score === score) {
      sum += score;
      scored++;
    }
    values[at] = last ? sum / scored : sum;
    counts[at] = scored;
  }
}

function addMax(scores: Float64Array, values: Float64Array, first: boolean): void {
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at]!;
    const best = first ? NaN : values[at]!;
    // Any score exceeds a missing one.
    const magnitude = best === best ? Math.abs(best) : -1;
    values[at] = Math.abs(score) > magnitude ? score : best;
  }
}
