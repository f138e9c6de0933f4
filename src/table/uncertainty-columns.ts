import type { ResampledScores } from '../scores/resampled-scores.ts';
import { floatColumn, type Column } from './columns.ts';
import { pick } from '../scores/pick.ts';

/**
 * What resampling says of some elements of the score matrix: `corr_se`, `sign_stability` and, where targets were
 * shuffled, `p_empirical`. No columns where nothing was resampled.
 */
export function uncertaintyColumns(resampled: ResampledScores | undefined, elements: Uint32Array): Column[] {
  if (resampled === undefined) return [];
  const { standardError, signStability, empiricalP } = resampled;
  return [
    floatColumn('corr_se', pick(standardError, elements)),
    floatColumn('sign_stability', pick(signStability, elements)),
    ...(empiricalP === undefined ? [] : [floatColumn('p_empirical', pick(empiricalP, elements))]),
  ];
}
