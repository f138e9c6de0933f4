import type { ScoreMatrices } from '../../scoring/score-matrices.ts';
import type { ScoreReader, Scores } from './scores.ts';

/** Runs `use` with scores that nothing changes meanwhile. @throws `released` */
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
 * Runs `use` with the aggregated scores. Unlike the arrays of `aggregate()`, which belong to the caller, their memory
 * is reused afterwards. Scores of layer pairs are neither read back nor formed again.
 *
 * @throws `released`, `device-lost`
 */
export function withAggregate<T>(
  scores: Scores,
  use: (aggregated: ScoreMatrices['aggregated']) => T | Promise<T>,
): Promise<T> {
  return withReader(scores, async (reader) => use(await reader.aggregated()));
}
