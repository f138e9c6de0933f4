import { adoptDevice } from '../../gpu/device.ts';
import { checkOneOf } from '../../check-one-of.ts';
import { canShare, SharedArrays } from '../../scoring/array-pool.ts';
import { consecutiveGroups } from '../../scoring/channel/merge-channels.ts';
import { checkChannelRequest, type ChannelRequest } from '../../scoring/channel/request.ts';
import type { BackendName, Precision } from '../engine.ts';
import { HostScores, ScoreArrays } from '../scores/host-scores.ts';
import type { Scores } from '../scores/scores.ts';
import type { ConditionalScores } from '../../scoring/select-edges.ts';
import type { RaggedIndices } from '../../statistics/ragged.ts';
import type { Reduction } from '../../statistics/channel-norms.ts';
import type { ChannelRows } from '../../statistics/channel-record.ts';
import {
  batchOfSaved,
  type SavedChannels,
  type SavedChannelValues,
} from '../../statistics/saved-channels.ts';
import type { MagnitudeRequest } from '../../scoring/magnitude-request.ts';
import { MagnitudeEdgeError } from '../../errors.ts';
import { scoreRanks, type AllMagnitudes } from '../score-magnitudes.ts';
import { magnitudesOfChannels } from './channel-magnitudes.ts';
import { channelScores } from './channel-scores.ts';
import { ChannelThreads } from './channel-threads.ts';
import { conditionalChannels } from './select-channels.ts';

/**
 * Channel scores (docs/method.md, "score = 'channel'") of saved channel values, without the model that they came from,
 * or of any two sets of values per node. Runs on all cores, or on a GPU if the regressions suit it.
 *
 * @param device owned by the caller, who keeps it until the scores are computed
 * @param precision of regressions on the device. Default 'exact'
 * @throws `too-few-samples`, `invalid-argument`, `out-of-memory`, `device-lost`, `gpu-validation`; the signal's reason
 * once it is aborted
 */
export async function scoreSavedChannels(
  saved: SavedChannels,
  request: ChannelRequest,
  device?: GPUDevice,
  precision: Precision = 'exact',
): Promise<Scores> {
  return (await scoreSaved(saved, request, device, precision)).scores;
}

/** As {@link scoreSavedChannels}, with the backend of the regressions. */
export async function scoreSaved(
  saved: SavedChannels,
  request: ChannelRequest,
  device: GPUDevice | undefined,
  precision: Precision,
): Promise<{ readonly scores: Scores; readonly backend: BackendName }> {
  checkOneOf('precision', precision, ['exact', 'fast']);
  checkChannelRequest(request, saved.samples);
  const groups = consecutiveGroups(saved.counts);
  const held = 'sums' in saved ? saved.sums : rowsOf(saved, groups);
  const threads = new ChannelThreads(undefined, () => device && adoptDevice(device), precision);
  try {
    const matrices = await channelScores(held, groups, request, threads);
    const scores = new HostScores(new ScoreArrays(matrices), { pairs: held.pairs.length });
    return { scores, backend: threads.backend };
  } finally {
    threads.release();
  }
}

/**
 * Runs work with channel scores of saved values, which change as edges are selected.
 *
 * @throws as {@link scoreSavedChannels}
 */
export async function selectSavedChannels<T>(
  saved: SavedChannels,
  request: ChannelRequest,
  work: (scores: ConditionalScores) => Promise<T>,
): Promise<T> {
  checkChannelRequest(request, saved.samples);
  const groups = consecutiveGroups(saved.counts);
  const held = 'sums' in saved ? saved.sums : rowsOf(saved, groups);
  const threads = new ChannelThreads();
  try {
    const { aggregated } = await channelScores(held, groups, request, threads);
    return await work(await conditionalChannels(held, groups, request, threads, aggregated));
  } finally {
    threads.release();
  }
}

/**
 * Scores of the ranks of magnitudes, from saved channel values.
 *
 * @throws as {@link scoreRanks}; `invalid-data` if only sums of the values were saved
 */
export async function scoreSavedRanks(
  saved: SavedChannels,
  reduction: Reduction,
  request: MagnitudeRequest,
): Promise<Scores> {
  const magnitudes = magnitudesOfSaved(saved, reduction);
  const shape = { nodes: saved.counts.length, pairs: magnitudes.x.length, reduction };
  return scoreRanks(magnitudes, shape, request);
}

/** The magnitudes of saved channel values. @throws `invalid-data` if only sums of the values were saved */
export function magnitudesOfSaved(saved: SavedChannels, reduction: Reduction): AllMagnitudes {
  if ('sums' in saved) {
    throw new MagnitudeEdgeError(
      'invalid-data',
      "Spearman's correlations need the channel values of each sample, but the statistics hold only their sums.",
    );
  }
  const groups = consecutiveGroups(saved.counts);
  return magnitudesOfChannels(rowsOf(saved, groups), groups, reduction);
}

/** Rows in shared memory if there is any, so that workers need no copies. */
function rowsOf(saved: SavedChannelValues, groups: RaggedIndices): ChannelRows {
  const shared = canShare() ? new SharedArrays() : undefined;
  const channels = groups.indices.length;
  const { size, activations, gradients } = batchOfSaved(
    saved,
    groups,
    channels,
    shared && ((length) => shared.alloc(Float32Array, length)),
  );
  const pairs = activations.map((x, p) => ({ x: [x], u: [gradients[p]!] }));
  return { samples: size, channels, pairs };
}
