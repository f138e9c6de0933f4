import type { ChannelSums } from '../../statistics/channel-sums.ts';
import type { UpperColumns } from './gram.ts';
import type { Matrix } from './panels.ts';
import type { ChannelMoments, ChannelSystem, LayerPair, Segment } from './system.ts';

/** Whether a regression uses sums instead of samples. */
export function hasSums({ segments }: ChannelSystem): boolean {
  return segments.some(({ sums }) => sums !== undefined);
}

/** The layer pairs of a system, from sums. */
export function pairsOfSums({ samples, channels, pairs }: ChannelSums): LayerPair[] {
  return pairs.map((sums) => {
    const momentsX: ChannelMoments = {
      mean: sums.pivot.map((pivot, c) => pivot + sums.sumX[c]! / samples),
      variance: sums.sumX.map((sum, c) =>
        Math.max(sums.sumXX[c * (channels + 1)]! / samples - (sum / samples) ** 2, 0),
      ),
      meanSquare: new Float64Array(channels),
    };
    momentsX.mean.forEach((mean, c) => (momentsX.meanSquare[c] = mean ** 2 + momentsX.variance[c]!));
    return { x: [], u: [], sums, momentsX, meanSquareU: sums.sumU2.map((sum) => sum / samples), samples };
  });
}

/** Adds columns of F'F of a segment: products about the means, scaled. */
export function addGramOfSums(
  { sources: { channels } }: ChannelSystem,
  { sums, samples, scale }: Segment,
  { values, stride, first, end }: UpperColumns,
): void {
  const { sumX, sumXX } = sums!;
  const size = sumX.length;
  for (let i = 0; i < end; i++) {
    const [row, factor] = [channels[i]! * size, scale[i]!];
    const mean = sumX[channels[i]!]! / samples;
    for (let j = Math.max(i, first); j < end; j++) {
      // The entry in the upper triangle, in whatever order the columns are.
      const at = channels[j]! >= channels[i]! ? row + channels[j]! : channels[j]! * size + channels[i]!;
      values[i * stride + j - first]! += (sumXX[at]! - mean * sumX[channels[j]!]!) * factor * scale[j]!;
    }
  }
}

/** Writes columns `first .. end` of F'U: products about the means of the activations, scaled. */
export function productsOfSums(
  { sources, targets, targetScale, segments }: ChannelSystem,
  [first, end]: readonly [number, number],
  { values, stride }: Pick<Matrix, 'values' | 'stride'>,
): void {
  const columns = targets.channels.subarray(first, end);
  for (let i = 0; i < sources.channels.length; i++) {
    const channel = sources.channels[i]!;
    for (let c = 0; c < columns.length; c++) {
      let product = 0;
      for (const { sums, samples, scale } of segments) {
        const { sumX, sumU, sumXU } = sums!;
        const raw = sumXU[channel * sumX.length + columns[c]!]!;
        product += (raw - (sumX[channel]! / samples) * sumU[columns[c]!]!) * scale[i]!;
      }
      values[i * stride + c] = product * targetScale[first + c]!;
    }
  }
}
