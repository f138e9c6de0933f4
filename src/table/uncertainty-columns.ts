import type { ResampledScores } from '../resampling/resampled-scores.ts';
import { floatColumn, type Column } from './columns.ts';
import { gather } from '../ranking/gather.ts';
import type { ScoreColumn } from './score-column.ts';

/**
 * Resampling results of some pairs of nodes: `corr_se` or `score_se`, `sign_stability` and, if targets were shuffled,
 * `p_empirical`; for scores without a sign only `score_se`, since their p-values are the empirical ones. No columns if
 * nothing was resampled.
 */
export function uncertaintyColumns(
  resampled: ResampledScores | undefined,
  pairIndices: Uint32Array,
  scoreColumn: ScoreColumn,
  signed: boolean,
): Column[] {
  if (resampled === undefined) return [];
  const { standardError, signStability, empiricalP } = resampled;
  const error = floatColumn(`${scoreColumn}_se`, gather(standardError, pairIndices));
  if (!signed) return [error];
  return [
    error,
    floatColumn('sign_stability', gather(signStability, pairIndices)),
    ...(empiricalP === undefined ? [] : [floatColumn('p_empirical', gather(empiricalP, pairIndices))]),
  ];
}
