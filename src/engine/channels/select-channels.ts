import { ConditionalChannels } from '../../scoring/channel/conditional-channels.ts';
import type { ChannelRequest } from '../../scoring/channel/request.ts';
import { RidgeSolver } from '../../scoring/channel/ridge-solver.ts';
import type { ConditionalScores } from '../../scoring/select-edges.ts';
import type { ChannelRows } from '../../statistics/channel-record.ts';
import type { ChannelSums } from '../../statistics/channel-sums.ts';
import { mixedBlocks } from '../../statistics/mixed-blocks.ts';
import { createYielder, runYielding } from '../../statistics/yielder.ts';
import type { RaggedIndices } from '../../statistics/ragged.ts';
import { withOutOfMemoryError } from '../with-out-of-memory-error.ts';
import { systemsOf } from './channel-scores.ts';
import type { ChannelThreads } from './channel-threads.ts';

/**
 * Channel scores that change as edges are selected (method.md, "Stagewise selection"). The system of each layer pair is
 * inverted once more, on the calling thread, and kept.
 *
 * @param groups channels of each node
 * @param first scores of the same samples before any edge is selected, row-major `[nodes, nodes]`
 * @throws `out-of-memory`; the signal's reason once it is aborted
 */
export function conditionalChannels(
  held: ChannelRows | ChannelSums,
  groups: RaggedIndices,
  request: ChannelRequest,
  threads: ChannelThreads,
  first: ArrayLike<number>,
): Promise<ConditionalScores> {
  const shape = { nodes: groups.offsets.length - 1, pairs: held.pairs.length };
  return withOutOfMemoryError(shape, async () => {
    const yielder = createYielder(request.signal);
    const memory = mixedBlocks();
    const solvers: RidgeSolver[] = [];
    for (const system of await systemsOf(held, groups, request, threads)) {
      solvers.push(await runYielding(RidgeSolver.create(memory, system), yielder));
    }
    return new ConditionalChannels(solvers, request.layerAgg, first, yielder);
  });
}
