import { leastRemainder, type RemainderLimits } from '../../src/scoring/constant-nodes.ts';
import { factorTarget } from '../../src/scoring/partial-factor.ts';

/**
 * Covariances that determine the partial correlations of one target: the set S, the target's y, and every source. The
 * solver overwrites all of them.
 */
export interface ConditionalSystem {
  /** S, ascending indices of sources */
  readonly set: Uint32Array;
  /** j */
  readonly target: number;
  /** S_xx[S, S], row-major `[|S|, |S|]`, without the ridge */
  readonly covSS: Float64Array;
  /** S_xy[S, j], `[|S|]` */
  readonly covSY: Float64Array;
  /** S_xx[S, :], row-major `[|S|, nodes]` */
  readonly covSX: Float64Array;
  /** S_xy[:, j], `[nodes]` */
  readonly covXY: Float64Array;
  /** var_x, `[nodes]`, NaN where x is constant */
  readonly varX: Float64Array;
  /** var_y[j], NaN where y is constant */
  readonly varY: number;
}

/** Sources per pass of the substitution: few enough for their rows to stay in the nearest cache. */
const BLOCK = 256;

/**
 * Partial correlations of every source with one target given S, in float64 (method.md, "score = 'partial'"): one
 * Cholesky factor, then forward substitution over all the sources at once. An empty set gives plain correlations.
 *
 * @param scores receives `[nodes]` scores, NaN for pairs without one
 * @param roundoff of the sums behind the system, see {@link choleskyFactor}
 * @returns false if S is numerically singular
 */
export function solvePartialColumn(
  system: ConditionalSystem,
  ridge: number,
  limits: RemainderLimits,
  scores: Float64Array,
  roundoff?: number,
): boolean {
  const { set, target, covSS, covSY, covSX, covXY, varX } = system;
  const size = set.length;
  const nodes = varX.length;
  const varY = factorTarget(system, ridge, limits, roundoff);
  if (varY === undefined || Number.isNaN(varY)) {
    scores.fill(NaN, 0, nodes);
    return varY !== undefined;
  }
  const least = varX.map((variance) => leastRemainder(variance, limits));
  for (let first = 0; first < nodes; first += BLOCK) {
    const end = Math.min(first + BLOCK, nodes);
    let k = 0;
    for (; k + 4 <= size; k += 4) {
      for (let m = 0; m < k; m += 4) eliminateFour(covSX, k, m, covSS, size, nodes, first, end);
      finishFour(covSX, k, covSS, covSY, covXY, varX, first, end);
    }
    for (; k < size; k++) finishOne(covSX, k, covSS, covSY, covXY, varX, first, end);
    for (let i = first; i < end; i++) {
      scores[i] = partialCorrelation(covXY[i]!, varX[i]!, least[i]!, varY);
    }
  }
  if (size > 0) {
    for (const source of set) scores[source] = NaN;
    scores[target] = NaN;
  }
  return true;
}

// The substitution W = R^-1 S_xx[S, :] processes four rows of S at a time: each loaded value serves four products.
// `rows` holds S_xx[S, :] from row k on and W before it; `factor` is R; both row-major, `rows.length = size * nodes`.

/** Subtracts from rows k .. k + 3 of S_xx[S, :] what the finished rows m .. m + 3 of W explain of them. */
function eliminateFour(
  rows: Float64Array,
  k: number,
  m: number,
  factor: Float64Array,
  size: number,
  nodes: number,
  first: number,
  end: number,
): void {
  const f0 = k * size + m;
  const f1 = f0 + size;
  const f2 = f1 + size;
  const f3 = f2 + size;
  const [f00, f01, f02, f03] = [factor[f0]!, factor[f0 + 1]!, factor[f0 + 2]!, factor[f0 + 3]!];
  const [f10, f11, f12, f13] = [factor[f1]!, factor[f1 + 1]!, factor[f1 + 2]!, factor[f1 + 3]!];
  const [f20, f21, f22, f23] = [factor[f2]!, factor[f2 + 1]!, factor[f2 + 2]!, factor[f2 + 3]!];
  const [f30, f31, f32, f33] = [factor[f3]!, factor[f3 + 1]!, factor[f3 + 2]!, factor[f3 + 3]!];
  const k0 = k * nodes;
  const m0 = m * nodes;
  for (let i = first; i < end; i++) {
    const w0 = rows[m0 + i]!;
    const w1 = rows[m0 + nodes + i]!;
    const w2 = rows[m0 + 2 * nodes + i]!;
    const w3 = rows[m0 + 3 * nodes + i]!;
    rows[k0 + i]! -= f00 * w0 + f01 * w1 + (f02 * w2 + f03 * w3);
    rows[k0 + nodes + i]! -= f10 * w0 + f11 * w1 + (f12 * w2 + f13 * w3);
    rows[k0 + 2 * nodes + i]! -= f20 * w0 + f21 * w1 + (f22 * w2 + f23 * w3);
    rows[k0 + 3 * nodes + i]! -= f30 * w0 + f31 * w1 + (f32 * w2 + f33 * w3);
  }
}

/** Solves rows k .. k + 3 among themselves, and subtracts their share from the sources' covariances and variances. */
function finishFour(
  rows: Float64Array,
  k: number,
  factor: Float64Array,
  wY: Float64Array,
  covXY: Float64Array,
  varX: Float64Array,
  first: number,
  end: number,
): void {
  const size = wY.length;
  const nodes = varX.length;
  const at = (row: number, column: number): number => factor[(k + row) * size + k + column]!;
  const [r0, r1, r2, r3] = [1 / at(0, 0), 1 / at(1, 1), 1 / at(2, 2), 1 / at(3, 3)];
  const [f10, f20, f21, f30, f31, f32] = [at(1, 0), at(2, 0), at(2, 1), at(3, 0), at(3, 1), at(3, 2)];
  const [y0, y1, y2, y3] = [wY[k]!, wY[k + 1]!, wY[k + 2]!, wY[k + 3]!];
  const k0 = k * nodes;
  for (let i = first; i < end; i++) {
    const w0 = rows[k0 + i]! * r0;
    const w1 = (rows[k0 + nodes + i]! - f10 * w0) * r1;
    const w2 = (rows[k0 + 2 * nodes + i]! - f20 * w0 - f21 * w1) * r2;
    const w3 = (rows[k0 + 3 * nodes + i]! - f30 * w0 - f31 * w1 - f32 * w2) * r3;
    rows[k0 + i] = w0;
    rows[k0 + nodes + i] = w1;
    rows[k0 + 2 * nodes + i] = w2;
    rows[k0 + 3 * nodes + i] = w3;
    varX[i]! -= w0 * w0 + w1 * w1 + (w2 * w2 + w3 * w3);
    covXY[i]! -= w0 * y0 + w1 * y1 + (w2 * y2 + w3 * y3);
  }
}

/** Row k alone, from all rows before it: for the last rows of a set whose size is not a multiple of four. */
function finishOne(
  rows: Float64Array,
  k: number,
  factor: Float64Array,
  wY: Float64Array,
  covXY: Float64Array,
  varX: Float64Array,
  first: number,
  end: number,
): void {
  const size = wY.length;
  const nodes = varX.length;
  const k0 = k * nodes;
  for (let m = 0; m < k; m++) {
    const f = factor[k * size + m]!;
    const m0 = m * nodes;
    for (let i = first; i < end; i++) rows[k0 + i]! -= f * rows[m0 + i]!;
  }
  const reciprocal = 1 / factor[k * size + k]!;
  const y = wY[k]!;
  for (let i = first; i < end; i++) {
    const w = rows[k0 + i]! * reciprocal;
    rows[k0 + i] = w;
    varX[i]! -= w * w;
    covXY[i]! -= w * y;
  }
}

/**
 * num_i / sqrt(vx_i vy), clipped; NaN if there is no score.
 *
 * @param floorX what vx_i must exceed
 */
function partialCorrelation(
  covariance: number,
  residualVarianceX: number,
  floorX: number,
  residualVarianceY: number,
): number {
  const r = covariance / Math.sqrt(residualVarianceX * residualVarianceY);
  return residualVarianceX > floorX && Number.isFinite(r) ? Math.max(-1, Math.min(1, r)) : NaN;
}
