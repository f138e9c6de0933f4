import { checkChannelRequest, type ChannelRequest } from '../../scores/channel/request.ts';
import { HostScores } from '../../scores/host-scores.ts';
import type { Scores } from '../../scores/scores.ts';
import { raggedFromLists, type RaggedIndices } from '../../statistics/ragged.ts';
import type { Reduction } from '../../statistics/channel-norms.ts';
import type { ChannelRows } from '../../statistics/channel-record.ts';
import { batchOfSaved, type SavedChannels } from '../../statistics/saved-channels.ts';
import type { MagnitudeRequest } from '../../scores/magnitude-request.ts';
import { scoreRanks } from '../score-magnitudes.ts';
import { magnitudesOfChannels } from './channel-magnitudes.ts';
import { channelScores } from './channel-scores.ts';
import { ChannelThreads } from './channel-threads.ts';

/**
 * Channel scores of saved channel values, without the model that they came from.
 *
 * @throws `too-few-samples`, `invalid-argument`, `out-of-memory`; the signal's reason once it is aborted
 */
export async function scoreSavedChannels(saved: SavedChannels, request: ChannelRequest): Promise<Scores> {
  checkChannelRequest(request, saved.samples);
  const { rows, groups } = rowsOf(saved);
  const threads = new ChannelThreads();
  try {
    const matrices = await channelScores(rows, groups, request, threads);
    return new HostScores(matrices, { pairs: rows.pairs.length });
  } finally {
    threads.release();
  }
}

/**
 * Scores of the ranks of magnitudes, from saved channel values.
 *
 * @throws as {@link scoreRanks}
 */
export function scoreSavedRanks(
  saved: SavedChannels,
  reduction: Reduction,
  request: MagnitudeRequest,
): Promise<Scores> {
  const { rows, groups } = rowsOf(saved);
  const shape = { nodes: saved.counts.length, pairs: rows.pairs.length, reduction };
  return scoreRanks(magnitudesOfChannels(rows, groups, reduction), shape, request);
}

/** The values as rows, and which channels are whose. */
function rowsOf(saved: SavedChannels): { readonly rows: ChannelRows; readonly groups: RaggedIndices } {
  let channels = 0;
  const groups = raggedFromLists(
    Array.from(saved.counts, (count) => Array.from({ length: count }, () => channels++)),
  );
  const { size, activations, gradients } = batchOfSaved(saved, groups, channels);
  const pairs = activations.map((x, p) => ({ x: [x], u: [gradients[p]!] }));
  return { rows: { samples: size, channels, pairs }, groups };
}
