/** Counts of values in equal bins over [low, high]; values outside and NaN are counted separately. */
export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: Uint32Array;
  readonly outside: number;
}

export function histogram(
  values: ArrayLike<number>,
  low: number,
  high: number,
  bins: number,
  include: (row: number) => boolean = () => true,
): Histogram {
  const counts = new Uint32Array(bins);
  let outside = 0;
  for (let row = 0; row < values.length; row++) {
    if (!include(row)) continue;
    const place = ((values[row]! - low) / (high - low)) * bins;
    // The upper bound belongs to the last bin.
    if (place >= 0 && place <= bins) counts[Math.min(Math.floor(place), bins - 1)]! += 1;
    else outside++;
  }
  return { low, high, counts, outside };
}

/**
 * The share of true null hypotheses that a p-value histogram suggests (Storey 2002, lambda = 0.5): p-values above one
 * half come almost only from nulls. At most 1; NaN without values.
 */
export function nullShare(pValues: Float64Array | Float32Array): number {
  let above = 0;
  for (const p of pValues) if (p > 0.5) above++;
  return Math.min(1, above / (0.5 * pValues.length));
}
