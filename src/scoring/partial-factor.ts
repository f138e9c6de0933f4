import { choleskyFactor } from './cholesky.ts';
import { leastRemainder, type RemainderLimits } from './constant-nodes.ts';

/** Covariances of a target and the nodes S that it is conditioned on. */
export interface TargetCovariances {
  /** S_xx[S, S], row-major `[|S|, |S|]`; its lower triangle becomes R */
  readonly covSS: Float64Array;
  /** S_xy[S, j], `[|S|]`; becomes w_y */
  readonly covSY: Float64Array;
  /** NaN if y_j is constant */
  readonly varY: number;
}

/**
 * What one target's partial correlations share (method.md, "score = 'partial'"): R, the Cholesky factor of
 * S_xx[S, S] + ridge I, and w_y = R^-1 S_xy[S, j], both in place of their covariances.
 *
 * @param roundoff see {@link choleskyFactor}
 * @returns vy = var_y - w_y . w_y; NaN if y_j is constant or explained by S, undefined if S is singular: the whole
 *   column has no score then
 */
export function factorTarget(
  { covSS, covSY, varY }: TargetCovariances,
  ridge: number,
  limits: RemainderLimits,
  roundoff?: number,
): number | undefined {
  const size = covSY.length;
  for (let k = 0; k < size; k++) covSS[k * size + k]! += ridge;
  if (!choleskyFactor(covSS, size, roundoff)) return undefined;
  let rest = varY;
  for (let k = 0; k < size; k++) {
    let w = covSY[k]!;
    for (let m = 0; m < k; m++) w -= covSS[k * size + m]! * covSY[m]!;
    w /= covSS[k * size + k]!;
    covSY[k] = w;
    rest -= w * w;
  }
  return rest > leastRemainder(varY, limits) && rest < Infinity ? rest : NaN;
}
