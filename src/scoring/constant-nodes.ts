import type { PairMoments } from '../statistics/covariances.ts';

/** A variance at or below this share of the mean square is rounding error: single precision cannot resolve it. */
const CONSTANT_SHARE = 1e-14;

/** A remainder of a variance at or below this share of it counts as zero. */
const EXPLAINED_SHARE = 1e-12;

/**
 * Whether a quantity counts as constant (method.md, "Constant nodes"). Relative by default, so that the unit of the
 * loss does not matter.
 *
 * @param variance divided by n
 * @param meanSquare mean of the squares of the quantity itself, not of its deviations
 * @param varianceFloor replaces the relative limit, if given
 */
export function isConstant(variance: number, meanSquare: number, varianceFloor: number | undefined): boolean {
  return variance <= (varianceFloor ?? CONSTANT_SHARE * meanSquare);
}

/**
 * The moments that scores are computed from: variances of constant nodes are NaN, and so is all that derives from them.
 */
export function scoredMoments(moments: PairMoments, varianceFloor: number | undefined): PairMoments {
  const usable = (variances: Float64Array, meanSquares: Float64Array): Float64Array =>
    variances.map((variance, i) => (isConstant(variance, meanSquares[i]!, varianceFloor) ? NaN : variance));
  return {
    ...moments,
    varX: usable(moments.varX, moments.meanX2),
    varY: usable(moments.varY, moments.meanY2),
  };
}

/** What must remain of a variance for a partial correlation to exist: more than `share` of it and more than `floor`. */
export interface RemainderLimits {
  readonly share: number;
  readonly floor: number;
}

export function remainderLimits(varianceFloor: number | undefined): RemainderLimits {
  return varianceFloor === undefined
    ? { share: EXPLAINED_SHARE, floor: 0 }
    : { share: 0, floor: varianceFloor };
}

/** The remaining variance must exceed this. NaN if the variance is. */
export function leastRemainder(variance: number, { share, floor }: RemainderLimits): number {
  return share * variance + floor;
}
