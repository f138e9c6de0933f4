import type { DegreesOfFreedomGroups } from '../scoring/degrees-of-freedom.ts';
import { fisherZ } from '../scoring/significance.ts';
import { LARGEST_CORRELATION } from '../scoring/tail-series.ts';

/**
 * Bins of scores. The bin of a score of class c is the number of the class's thresholds that it reaches, 0 to K: only
 * comparisons, so that every backend counts alike and no score is ever in doubt between two bins. NaN has bin K + 1.
 */
export interface Thresholds {
  /** K */
  readonly count: number;
  /** `[classes, K]`, rising within a class; infinite if all or no scores of the class reach it */
  readonly values: Float64Array;
}

/** Beyond these z, p is 1 or 0 to the last bit. */
const LEAST_Z = -8.4;
const LARGEST_Z = 39.7;

/** The largest |z| that a class can have. */
function largestZ(root: number): number {
  return fisherZ(1, root);
}

/** K values of z, evenly spaced over all that p can distinguish. */
export function evenEdges(dfGroups: DegreesOfFreedomGroups, count: number): Float64Array {
  const most = 1.001 * largestZ(dfGroups.roots.reduce((a, b) => Math.max(a, b), 0));
  const [low, high] = [Math.max(LEAST_Z, -most), Math.min(LARGEST_Z, most)];
  return Float64Array.from({ length: count }, (_, k) => low + ((high - low) * k) / Math.max(1, count - 1));
}

/** Thresholds of the scores whose z reaches the edges. @param edges rising */
export function zThresholds({ roots }: DegreesOfFreedomGroups, edges: Float64Array): Thresholds {
  const count = edges.length;
  const values = new Float64Array(roots.length * count);
  roots.forEach((root, c) => {
    const most = largestZ(root);
    edges.forEach((z, k) => {
      let score: number;
      if (root === 0) score = Infinity;
      else if (z <= -most) score = -Infinity;
      else if (z > most) score = Infinity;
      else score = Math.min(LARGEST_CORRELATION, Math.tanh(z / root));
      values[c * count + k] = score;
    });
  });
  return { count, values };
}

/**
 * Thresholds of the scores themselves, the same for every class, except that scores whose z does not reach `leastZ` are
 * in bin 0.
 *
 * @param edges rising
 */
export function scoreThresholds(
  dfGroups: DegreesOfFreedomGroups,
  edges: Float64Array,
  leastZ: number,
): Thresholds {
  const count = edges.length;
  const least = zThresholds(dfGroups, Float64Array.of(leastZ)).values;
  const values = new Float64Array(dfGroups.roots.length * count);
  dfGroups.roots.forEach((_, c) => {
    // A class without degrees of freedom has p = 1 whatever the score, so any threshold of z would drop it.
    const from = leastZ === -Infinity ? -Infinity : least[c]!;
    edges.forEach((score, k) => {
      values[c * count + k] = Math.max(score, from);
    });
  });
  return { count, values };
}

/** Looks up the bins of scores. */
export class BinLookup {
  readonly #count: number;
  readonly #values: Float64Array;
  readonly #cells: number;
  /** Per class: thresholds below the first finite one, thresholds up to the last finite one */
  readonly #below: Uint32Array;
  readonly #upTo: Uint32Array;
  /** Per class: least finite threshold, and cells per unit of score */
  readonly #low: Float64Array;
  readonly #scale: Float64Array;
  /** `[classes, cells + 1]`: thresholds in lower cells */
  readonly #first: Uint32Array;

  constructor({ count, values }: Thresholds) {
    const classes = values.length / count;
    const cells = count;
    this.#count = count;
    this.#values = values;
    this.#cells = cells;
    this.#below = new Uint32Array(classes);
    this.#upTo = new Uint32Array(classes);
    this.#low = new Float64Array(classes);
    this.#scale = new Float64Array(classes);
    this.#first = new Uint32Array(classes * (cells + 2));
    for (let c = 0; c < classes; c++) {
      const own = values.subarray(c * count, (c + 1) * count);
      let [below, upTo] = [0, count];
      while (below < count && own[below] === -Infinity) below++;
      while (upTo > below && own[upTo - 1] === Infinity) upTo--;
      const low = below < upTo ? own[below]! : Infinity;
      const width = below < upTo ? own[upTo - 1]! - low : 0;
      this.#below[c] = below;
      this.#upTo[c] = upTo;
      this.#low[c] = low;
      this.#scale[c] = width > 0 ? cells / width : 0;
      const first = this.#first.subarray(c * (cells + 2), (c + 1) * (cells + 2));
      let k = below;
      for (let cell = 0; cell <= cells + 1; cell++) {
        while (k < upTo && Math.floor((own[k]! - low) * this.#scale[c]!) < cell) k++;
        first[cell] = k;
      }
    }
  }

  binOf(freedomClass: number, score: number): number {
    const low = this.#low[freedomClass]!;
    if (!(score >= low)) return score === score ? this.#below[freedomClass]! : this.#count + 1;
    const upTo = this.#upTo[freedomClass]!;
    const base = freedomClass * this.#count;
    if (score >= this.#values[base + upTo - 1]!) return upTo;
    const cell = freedomClass * (this.#cells + 2) + Math.floor((score - low) * this.#scale[freedomClass]!);
    let least = this.#first[cell]!;
    let most = this.#first[cell + 1]!;
    while (least < most) {
      const middle = (least + most) >>> 1;
      if (score >= this.#values[base + middle]!) least = middle + 1;
      else most = middle;
    }
    return least;
  }
}
