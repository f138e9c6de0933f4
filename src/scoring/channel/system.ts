import type { PairChannelSums } from '../../statistics/channel-sums.ts';
import type { RaggedIndices } from '../../statistics/ragged.ts';

/** Channel values of one layer: consecutive row-major `[rows, channels]` matrices. */
export type RowBlocks = readonly Float32Array[];

/** Channels that take part on one side of a regression, as columns; those of a node are adjacent. */
export interface Columns {
  /** Where the columns of each node begin, and the end: `[nodes + 1]` */
  readonly starts: Uint32Array;
  /** The channel of each column */
  readonly channels: Uint32Array;
}

/** Samples of one layer pair in a regression. */
export interface Segment {
  readonly x: RowBlocks;
  readonly u: RowBlocks;
  /** Replaces the rows, which are empty then; channels are numbered as in the sums */
  readonly sums?: PairChannelSums | undefined;
  readonly samples: number;
  /** Of each source column, whose value is `(channel - shift) * scale`; a column that is constant here has scale 0 */
  readonly shift: Float64Array;
  readonly scale: Float64Array;
}

/**
 * One ridge regression of gradient channels on activation channels (method.md, "Channel scores"): of one layer pair,
 * or, with several segments, of all of them together.
 */
export interface ChannelSystem {
  readonly nodes: number;
  /** C, channels of a layer */
  readonly channels: number;
  readonly sources: Columns;
  readonly targets: Columns;
  /** One over the root mean square of each target column, over all segments */
  readonly targetScale: Float64Array;
  readonly segments: readonly Segment[];
  /** Observations: samples of all segments */
  readonly observations: number;
  readonly lambda: number;
}

/** Means, variances about them, and mean squares of the channels of a layer. */
export interface ChannelMoments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly meanSquare: Float64Array;
}

/** In float64, of deviations from the first row: a large mean costs the variance no digits. @param channels C */
export function channelMoments(blocks: RowBlocks, channels: number): ChannelMoments {
  const [mean, variance, meanSquare] = [0, 0, 0].map(() => new Float64Array(channels)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const rows = blocks.reduce((sum, { length }) => sum + length / channels, 0);
  const pivot = Float64Array.from(blocks[0]?.subarray(0, channels) ?? []);
  for (const block of blocks) addMoments(block, pivot, mean, variance, meanSquare);
  for (let c = 0; c < channels; c++) {
    const deviation = mean[c]! / rows;
    mean[c] = pivot[c]! + deviation;
    variance[c] = Math.max(variance[c]! / rows - deviation * deviation, 0);
    meanSquare[c]! /= rows;
  }
  return { mean, variance, meanSquare };
}

/** Mean squares of channels in float64. @param channels C */
export function meanSquares(blocks: RowBlocks, channels: number): Float64Array {
  const sums = new Float64Array(channels);
  let rows = 0;
  for (const block of blocks) {
    rows += block.length / channels;
    for (let row = 0; row < block.length; row += channels) {
      for (let c = 0; c < channels; c++) sums[c]! += block[row + c]! ** 2;
    }
  }
  return sums.map((sum) => sum / rows);
}

function addMoments(
  block: Float32Array,
  pivot: Float64Array,
  sums: Float64Array,
  squares: Float64Array,
  wholeSquares: Float64Array,
): void {
  const channels = pivot.length;
  for (let row = 0; row < block.length; row += channels) {
    for (let c = 0; c < channels; c++) {
      const value = block[row + c]!;
      const deviation = value - pivot[c]!;
      sums[c]! += deviation;
      squares[c]! += deviation * deviation;
      wholeSquares[c]! += value * value;
    }
  }
}

/** Which variances count as zero. */
export interface ConstantRule {
  /** Replaces the relative limit, if given (method.md, "Constant nodes") */
  readonly varianceFloor?: number | undefined;
}

/** Share of the mean square up to which a variance counts as zero (method.md, "Constant nodes"). */
const RELATIVE_FLOOR = 1e-14;

/** Whether a channel varies. */
export function varies(
  { variance, meanSquare }: Pick<ChannelMoments, 'variance' | 'meanSquare'>,
  channel: number,
  { varianceFloor }: ConstantRule = {},
): boolean {
  return variance[channel]! > (varianceFloor ?? RELATIVE_FLOOR * meanSquare[channel]!);
}

/** The channels that `takes` accepts, node by node. @param groups channels of each node */
export function columnsOf({ offsets, indices }: RaggedIndices, takes: (channel: number) => boolean): Columns {
  const nodes = offsets.length - 1;
  const starts = new Uint32Array(nodes + 1);
  const channels: number[] = [];
  for (let node = 0; node < nodes; node++) {
    for (const channel of indices.subarray(offsets[node], offsets[node + 1])) {
      if (takes(channel)) channels.push(channel);
    }
    starts[node + 1] = channels.length;
  }
  return { starts, channels: Uint32Array.from(channels) };
}

/** Samples of one layer pair, and their moments. */
export interface LayerPair {
  readonly x: RowBlocks;
  readonly u: RowBlocks;
  /** Replaces the rows */
  readonly sums?: PairChannelSums | undefined;
  readonly momentsX: ChannelMoments;
  readonly meanSquareU: Float64Array;
  /** n */
  readonly samples: number;
}

/**
 * The regression over the observations of some layer pairs: of one, or of all for pooled scores.
 *
 * @param groups channels of each node
 */
export function channelSystem(
  pairs: readonly LayerPair[],
  groups: RaggedIndices,
  channels: number,
  lambda: number,
  rule: ConstantRule = {},
): ChannelSystem {
  const sources = columnsOf(groups, (c) => pairs.some(({ momentsX }) => varies(momentsX, c, rule)));
  const observations = pairs.reduce((sum, { samples }) => sum + samples, 0);
  const meanSquare = (c: number): number =>
    pairs.reduce((sum, { meanSquareU, samples }) => sum + meanSquareU[c]! * samples, 0) / observations;
  const targets = columnsOf(groups, (c) => meanSquare(c) > 0);
  return {
    nodes: groups.offsets.length - 1,
    channels,
    sources,
    targets,
    targetScale: Float64Array.from(targets.channels, (c) => 1 / Math.sqrt(meanSquare(c))),
    segments: pairs.map(({ x, u, sums, momentsX, samples }) => ({
      x,
      u,
      sums,
      samples,
      shift: Float64Array.from(sources.channels, (c) => momentsX.mean[c]!),
      scale: Float64Array.from(sources.channels, (c) =>
        varies(momentsX, c, rule) ? 1 / Math.sqrt(momentsX.variance[c]!) : 0,
      ),
    })),
    observations,
    lambda,
  };
}
