import type { EngineShape, Reduction } from '../engine/engine.ts';
import type { GsnnStructure } from '../model/profile.ts';
import { raggedFromLists } from '../statistics/ragged.ts';

/**
 * The shape of an engine for a model's values: one entry of `channelGroups` per channel becomes one list of channels
 * per function node.
 */
export function engineShape(model: GsnnStructure, reduction: Reduction): EngineShape {
  const nodes = model.graph.nodeNames.function.length;
  const channels: number[][] = Array.from({ length: nodes }, () => []);
  model.channelGroups.forEach((node, channel) => channels[node]!.push(channel));
  return {
    nodes,
    pairs: model.layers - 1,
    channels: model.channelGroups.length,
    channelGroups: raggedFromLists(channels),
    reduction,
  };
}
