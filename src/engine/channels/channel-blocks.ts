import { channelBlock } from '../../scoring/channel/block.ts';
import type { ChannelRequest } from '../../scoring/channel/request.ts';
import {
  channelMoments,
  channelSystem,
  meanSquares,
  type Columns,
  type LayerPair,
} from '../../scoring/channel/system.ts';
import type { ChannelRows } from '../../statistics/channel-record.ts';
import { createYielder, runYielding } from '../../statistics/yielder.ts';
import type { RaggedIndices } from '../../statistics/ragged.ts';

/** B_ij, the block whose norm is a channel score (docs/method.md, "Channel scores"). */
export interface ChannelBlock {
  /** p, the layer pair; undefined for one regression over all of them */
  readonly layerPair: number | undefined;
  /** Channels of the source that are not constant, numbered within the node */
  readonly sourceChannels: readonly number[];
  /** Channels of the target that are not zero throughout, numbered within the node */
  readonly targetChannels: readonly number[];
  /**
   * Row-major `[sourceChannels, targetChannels]`, signed: gradient in units of its root mean square, per standard
   * deviation
   */
  readonly values: Float64Array;
}

/** Which blocks to compute. */
export interface BlockRequest extends Omit<ChannelRequest, 'layerAgg'> {
  /** Function nodes */
  readonly source: number;
  readonly target: number;
  /** One regression over the observations of all layer pairs */
  readonly pooled: boolean;
  /** Only that layer pair's block; ignored if `pooled` */
  readonly layerPair?: number | undefined;
}

/**
 * The blocks of one pair of nodes, one per layer pair.
 *
 * @param groups channels of each node
 * @throws the signal's reason once it is aborted
 */
export async function channelBlocks(
  { samples, channels, pairs }: ChannelRows,
  groups: RaggedIndices,
  request: BlockRequest,
): Promise<ChannelBlock[]> {
  const { source, target, pooled, layerPair, lambda, varianceFloor, signal } = request;
  const yielder = createYielder(signal);
  const prepared = async (pair: number): Promise<LayerPair> => {
    const { x, u } = pairs[pair]!;
    const momentsX = channelMoments(x, channels);
    await yielder();
    return { x, u, momentsX, meanSquareU: meanSquares(u, channels), samples };
  };
  const all = [...pairs.keys()];
  const systems = pooled
    ? [all]
    : all.filter((p) => layerPair === undefined || p === layerPair).map((p) => [p]);
  const blocks: ChannelBlock[] = [];
  for (const members of systems) {
    const own: LayerPair[] = [];
    for (const pair of members) own.push(await prepared(pair));
    const system = channelSystem(own, groups, channels, lambda, { varianceFloor });
    blocks.push({
      layerPair: pooled ? undefined : members[0]!,
      sourceChannels: numbersWithin(system.sources, groups, source),
      targetChannels: numbersWithin(system.targets, groups, target),
      values: await runYielding(channelBlock(system, source, target), yielder),
    });
  }
  return blocks;
}

/** The channels of a node's columns, numbered within the node. */
function numbersWithin({ starts, channels }: Columns, groups: RaggedIndices, node: number): number[] {
  const own = groups.indices.subarray(groups.offsets[node], groups.offsets[node + 1]);
  return Array.from(channels.subarray(starts[node], starts[node + 1]), (channel) => own.indexOf(channel));
}
