import { HostScores } from './host-scores.ts';
import type { ScoreMatrices } from '../../scoring/score-matrices.ts';
import type { Scores } from './scores.ts';

/**
 * Does something with aggregated scores and lets go of them: unlike those of `aggregate()`, which belong to whoever asked,
 * their memory is used again afterwards. Scores of layer pairs are not read back, nor formed again where they are not held.
 *
 * @throws as {@link Scores.aggregate}
 */
export async function withAggregate<T>(
  scores: Scores,
  use: (aggregated: ScoreMatrices['aggregated']) => T | Promise<T>,
): Promise<T> {
  if (!(scores instanceof HostScores)) return use(await scores.aggregate());
  scores.enter();
  try {
    return await use(scores.held.aggregated);
  } finally {
    scores.leave();
  }
}
