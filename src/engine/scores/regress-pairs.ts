import type { PairRegression, RidgeSettings } from '../../scoring/regression/regress-pair.ts';
import type { SufficientStatistics } from '../../statistics/sufficient-statistics.ts';
import { ChannelThreads } from '../channels/channel-threads.ts';

/**
 * The regressions of magnitudes of all layer pairs, in workers if that pays.
 *
 * @param size samples that count for the standard errors
 * @throws RangeError or `out-of-memory` if memory runs out; the signal's reason once it is aborted
 */
export async function regressPairs(
  { samples, pairs }: SufficientStatistics,
  size: number,
  settings: RidgeSettings,
  signal: AbortSignal | undefined,
): Promise<PairRegression[]> {
  const threads = new ChannelThreads();
  try {
    return await threads.magnitudes(
      pairs.map((pair) => ({ pair, samples, size, settings })),
      signal,
    );
  } finally {
    threads.release();
  }
}
