import type { ScoreMatrices } from '../../scoring/score-matrices.ts';
import type { ScoreReader, Scores } from './scores.ts';

/** Does something with scores that nothing changes meanwhile. @throws `released` */
export async function withReader<T>(
  scores: Scores,
  use: (reader: ScoreReader) => T | Promise<T>,
): Promise<T> {
  const reader = scores.reader();
  try {
    return await use(reader);
  } finally {
    reader.release();
  }
}

/**
 * Does something with aggregated scores: unlike those of `aggregate()`, which belong to whoever asked, their memory is used
 * again afterwards. Scores of layer pairs are not read back, nor formed again where they are not held.
 *
 * @throws `released`, `device-lost`
 */
export function withAggregate<T>(
  scores: Scores,
  use: (aggregated: ScoreMatrices['aggregated']) => T | Promise<T>,
): Promise<T> {
  return withReader(scores, async (reader) => use(await reader.aggregated()));
}
