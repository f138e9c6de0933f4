import type { PairRegression, RidgeSettings } from '../../scoring/regression/regress-pair.ts';
import type { SufficientStatistics } from '../../statistics/sufficient-statistics.ts';
import { ChannelThreads } from '../channels/channel-threads.ts';

/**
 * The regressions of the layer pairs of magnitudes, in workers where they are worth them.
 *
 * @param size samples that count for the standard errors
 * @throws RangeError or `out-of-memory` where they find no room; the signal's reason once it is aborted
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
