import { checkChannelRequest, type ChannelRequest } from '../../scores/channel/request.ts';
import { HostScores } from '../../scores/host-scores.ts';
import type { Scores } from '../../scores/scores.ts';
import { raggedFromLists } from '../../statistics/ragged.ts';
import { batchOfSaved, type SavedChannels } from '../../statistics/saved-channels.ts';
import { channelScores } from './channel-scores.ts';
import { ChannelThreads } from './channel-threads.ts';

/**
 * Channel scores of saved channel values, without the model that they came from.
 *
 * @throws `too-few-samples`, `invalid-argument`, `out-of-memory`; the signal's reason once it is aborted
 */
export async function scoreSavedChannels(saved: SavedChannels, request: ChannelRequest): Promise<Scores> {
  checkChannelRequest(request, saved.samples);
  let channels = 0;
  const groups = raggedFromLists(
    Array.from(saved.counts, (count) => Array.from({ length: count }, () => channels++)),
  );
  const { size, activations, gradients } = batchOfSaved(saved, groups, channels);
  const pairs = activations.map((x, p) => ({ x: [x], u: [gradients[p]!] }));
  const threads = new ChannelThreads();
  try {
    const matrices = await channelScores({ samples: size, channels, pairs }, groups, request, threads);
    return new HostScores(matrices, { pairs: pairs.length });
  } finally {
    threads.release();
  }
}
