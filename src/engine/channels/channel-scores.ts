import { aggregateChannels } from '../../scoring/channel/aggregate.ts';
import type { ChannelRequest } from '../../scoring/channel/request.ts';
import type { PartNorms } from '../../scoring/channel/regression.ts';
import { pairsOfSums } from '../../scoring/channel/sums.ts';
import {
  channelMoments,
  channelSystem,
  meanSquares,
  type ChannelSystem,
  type LayerPair,
} from '../../scoring/channel/system.ts';
import type { Part } from '../../scoring/channel/ridge-form.ts';
import { NODE_FLAG } from '../../scoring/node-flags.ts';
import type { ScoreMatrices } from '../../scoring/score-matrices.ts';
import type { ChannelRows } from '../../statistics/channel-record.ts';
import { createYielder } from '../../statistics/yielder.ts';
import type { ChannelSums } from '../../statistics/channel-sums.ts';
import type { RaggedIndices } from '../../statistics/ragged.ts';
import type { RowOrder } from '../../scoring/channel/rows.ts';
import type { ChannelThreads } from './channel-threads.ts';

/** Scores of all ordered pairs of nodes from channel values; 'pooled' has none per layer pair. */
export interface ChannelMatrices extends ScoreMatrices {
  readonly aggregated: Float64Array;
  readonly perPair: readonly Float64Array[];
}

/**
 * Channel scores (method.md, "Channel scores").
 *
 * @param groups channels of each node
 * @throws as {@link ChannelThreads.run}
 */
export async function channelScores(
  rows: ChannelRows | ChannelSums,
  groups: RaggedIndices,
  request: ChannelRequest,
  threads: ChannelThreads,
): Promise<ChannelMatrices> {
  const systems = await systemsOf(rows, groups, request, threads);
  const [scores] = await scoresOf(systems, request, threads, [undefined]);
  return scores!;
}

/** Channel scores with the rows of U in other orders, all with the same F: one result per order. */
export async function shuffledChannelScores(
  rows: ChannelRows,
  groups: RaggedIndices,
  request: ChannelRequest,
  threads: ChannelThreads,
  orders: readonly Uint32Array[],
): Promise<ChannelMatrices[]> {
  const systems = await systemsOf(rows, groups, request, threads);
  const perSegment = orders.map((order) => rows.pairs.map(() => order));
  return scoresOf(systems, request, threads, perSegment);
}

/** The regressions behind channel scores: one per layer pair; one for 'pooled'. @param groups channels of each node */
export async function systemsOf(
  held: ChannelRows | ChannelSums,
  groups: RaggedIndices,
  request: ChannelRequest,
  threads: ChannelThreads,
): Promise<ChannelSystem[]> {
  const { layerAgg, lambda, varianceFloor } = request;
  const sums = isSums(held);
  const layerPairs = sums ? pairsOfSums(held) : await pairsOfRows(held, request, threads);
  const together = layerAgg === 'pooled' ? [layerPairs] : layerPairs.map((pair) => [pair]);
  // The channels of sums are ordered by node.
  const own = sums ? { ...groups, indices: Uint32Array.from(groups.indices.keys()) } : groups;
  return together.map((pairs) => channelSystem(pairs, own, held.channels, lambda, { varianceFloor }));
}

/** Whether these are sums over samples rather than the samples themselves. */
export function isSums(held: ChannelRows | ChannelSums): held is ChannelSums {
  return 'sumXX' in held.pairs[0]!;
}

async function pairsOfRows(
  { samples, channels, pairs }: ChannelRows,
  { signal }: ChannelRequest,
  threads: ChannelThreads,
): Promise<LayerPair[]> {
  const yielder = createYielder(signal);
  // Workers start while this thread computes means and variances, unless a GPU is to do everything.
  const smaller = Math.min(samples, channels);
  const starting = threads.gpu ? undefined : threads.open(pairs.length * samples * channels * smaller);
  const layerPairs: LayerPair[] = [];
  try {
    for (const { x, u } of pairs) {
      const momentsX = channelMoments(x, channels);
      await yielder();
      layerPairs.push({ x, u, momentsX, meanSquareU: meanSquares(u, channels), samples });
      await yielder();
    }
  } finally {
    await starting;
  }
  return layerPairs;
}

async function scoresOf(
  systems: readonly ChannelSystem[],
  { layerAgg, signal }: ChannelRequest,
  threads: ChannelThreads,
  orders: readonly RowOrder[],
): Promise<ChannelMatrices[]> {
  const nodes = systems[0]!.nodes;
  const all = orders.map(() => systems.map(() => new Float64Array(nodes ** 2).fill(NaN)));
  await threads.run(
    systems,
    orders,
    (system, part, results) => {
      results.forEach((norms, order) => {
        placeRoots(all[order]![system]!, nodes, part, norms);
      });
    },
    signal,
  );
  const nodeFlags = flagsOf(systems);
  return all.map((scores) =>
    layerAgg === 'pooled'
      ? { nodes, nodeFlags, aggregated: scores[0]!, perPair: [] }
      : { nodes, nodeFlags, aggregated: aggregateChannels(scores, layerAgg), perPair: scores },
  );
}

/** Flags nodes that have no channel left in some system. */
function flagsOf(systems: readonly ChannelSystem[]): Uint8Array {
  const flags = new Uint8Array(systems[0]!.nodes);
  for (const { sources, targets } of systems) {
    for (let node = 0; node < flags.length; node++) {
      if (sources.starts[node] === sources.starts[node + 1]) flags[node]! |= NODE_FLAG.constantSource;
      if (targets.starts[node] === targets.starts[node + 1]) flags[node]! |= NODE_FLAG.constantTarget;
    }
  }
  return flags;
}

/** Writes the scores of a part to their places: row-major `[source, target]`. */
function placeRoots(out: Float64Array, nodes: number, { form, first, end }: Part, norms: PartNorms): void {
  if (form === 'dual') {
    const from = first * nodes;
    for (let at = 0; at < norms.length; at++) out[from + at] = Math.sqrt(norms[at]!);
    return;
  }
  const count = end - first;
  for (let source = 0, at = 0; source < nodes; source++) {
    const to = source * nodes + first;
    for (let t = 0; t < count; t++, at++) out[to + t] = Math.sqrt(norms[at]!);
  }
}
