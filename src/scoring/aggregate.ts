import type { LayerAggregation } from './score-matrices.ts';

/**
 * One score per ordered pair from those of the layer pairs (method.md, "Aggregation over pairs"), for a range of matrix
 * elements. NaN entries are ignored; all NaN yields NaN.
 *
 * @param perPair P matrices of equal length
 * @param out elements `first .. end` are written
 */
export function aggregatePairs(
  perPair: readonly (Float64Array | Float32Array)[],
  layerAgg: LayerAggregation,
  first: number,
  end: number,
  out: Float64Array | Float32Array,
): void {
  if (layerAgg === 'mean') aggregateMean(perPair, first, end, out);
  else aggregateMax(perPair, first, end, out);
}

function aggregateMean(
  perPair: readonly (Float64Array | Float32Array)[],
  first: number,
  end: number,
  out: Float64Array | Float32Array,
): void {
  const pairs = perPair.length;
  for (let e = first; e < end; e++) {
    let sum = 0;
    let count = 0;
    for (let p = 0; p < pairs; p++) {
      const score = perPair[p]![e]!;
      if (score === score) {
        sum += score;
        count++;
      }
    }
    out[e] = sum / count;
  }
}

/** The score of largest magnitude keeps its sign; only a strictly larger one replaces it, so the first wins a tie. */
function aggregateMax(
  perPair: readonly (Float64Array | Float32Array)[],
  first: number,
  end: number,
  out: Float64Array | Float32Array,
): void {
  const pairs = perPair.length;
  for (let e = first; e < end; e++) {
    let best = NaN;
    let magnitude = -1;
    for (let p = 0; p < pairs; p++) {
      const score = perPair[p]![e]!;
      if (Math.abs(score) > magnitude) {
        best = score;
        magnitude = Math.abs(score);
      }
    }
    out[e] = best;
  }
}
