import type { ChannelAggregation } from './request.ts';

/**
 * Channel scores aggregated over all layer pairs (method.md, "Channel scores"): the root mean square, or the largest.
 * NaN entries are ignored; all NaN yields NaN.
 *
 * @param perPair P matrices of equal length
 */
export function aggregateChannels(
  perPair: readonly Float64Array[],
  layerAgg: Exclude<ChannelAggregation, 'pooled'>,
): Float64Array {
  const out = new Float64Array(perPair[0]?.length ?? 0);
  for (let e = 0; e < out.length; e++) {
    let [squares, largest, count] = [0, -1, 0];
    for (const scores of perPair) {
      const score = scores[e]!;
      if (Number.isNaN(score)) continue;
      squares += score * score;
      if (score > largest) largest = score;
      count++;
    }
    if (count === 0) out[e] = NaN;
    else out[e] = layerAgg === 'mean' ? Math.sqrt(squares / count) : largest;
  }
  return out;
}
