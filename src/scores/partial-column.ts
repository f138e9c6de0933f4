import { choleskyFactor } from './cholesky.ts';
import { EPS } from './request.ts';

/**
 * Covariances that decide the partial correlations of one target: the set S, the target's y, and every source.
 * The solver overwrites all of it.
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
  /** var_x, `[nodes]` */
  readonly varX: Float64Array;
  /** var_y[j] */
  readonly varY: number;
}

/** Sources whose substitution is carried through at a time, so that their rows stay in the nearest cache. */
const BLOCK = 256;

/**
 * Partial correlations of every source with one target given S, in float64 (method.md, "score = 'partial'"): one
 * Cholesky factor, then forward substitution over all the sources at once. An empty set gives plain correlations.
 *
 * @param scores receives `[nodes]` scores, NaN where the method gives none
 */
export function solvePartialColumn(system: ConditionalSystem, ridge: number, scores: Float64Array): void {
  const { set, target, covSS, covSY, covSX, covXY, varX } = system;
  const size = set.length;
  const nodes = varX.length;
  for (let k = 0; k < size; k++) covSS[k * size + k]! += ridge;
  if (!choleskyFactor(covSS, size)) {
    scores.fill(NaN, 0, nodes);
    return;
  }
  let varY = system.varY;
  for (let k = 0; k < size; k++) {
    let w = covSY[k]!;
    for (let m = 0; m < k; m++) w -= covSS[k * size + m]! * covSY[m]!;
    w /= covSS[k * size + k]!;
    covSY[k] = w;
    varY -= w * w;
  }
  if (!(varY > EPS && varY < Infinity)) {
    scores.fill(NaN, 0, nodes);
    return;
  }
  for (let first = 0; first < nodes; first += BLOCK) {
    const end = Math.min(first + BLOCK, nodes);
    for (let k = 0; k < size; k++) {
      eliminate(covSX, k, covSS, size, nodes, first, end);
      subtractExplained(covSX, k * nodes, 1 / covSS[k * size + k]!, covSY[k]!, covXY, varX, first, end);
    }
    for (let i = first; i < end; i++) {
      const variance = varX[i]!;
      const r = covXY[i]! / Math.max(Math.sqrt(Math.max(variance, 0) * varY), EPS);
      scores[i] = variance > EPS && Number.isFinite(r) ? Math.max(-1, Math.min(1, r)) : NaN;
    }
  }
  if (size === 0) return;
  for (const source of set) scores[source] = NaN;
  scores[target] = NaN;
}

/** Row k of S_xx[S, :] minus what rows 0 .. k - 1 of the substitution hold of it, four rows to a pass. */
function eliminate(
  rows: Float64Array,
  k: number,
  factor: Float64Array,
  size: number,
  nodes: number,
  first: number,
  end: number,
): void {
  const at = k * nodes;
  let m = 0;
  for (; m + 4 <= k; m += 4) {
    const f0 = factor[k * size + m]!;
    const f1 = factor[k * size + m + 1]!;
    const f2 = factor[k * size + m + 2]!;
    const f3 = factor[k * size + m + 3]!;
    const m0 = m * nodes;
    const m1 = m0 + nodes;
    const m2 = m1 + nodes;
    const m3 = m2 + nodes;
    for (let i = first; i < end; i++) {
      rows[at + i]! -= f0 * rows[m0 + i]! + f1 * rows[m1 + i]! + (f2 * rows[m2 + i]! + f3 * rows[m3 + i]!);
    }
  }
  for (; m < k; m++) {
    const f = factor[k * size + m]!;
    const m0 = m * nodes;
    for (let i = first; i < end; i++) rows[at + i]! -= f * rows[m0 + i]!;
  }
}

/** Finishes row k (w = row / pivot) and takes its share off the variances and covariances of the sources. */
function subtractExplained(
  rows: Float64Array,
  at: number,
  reciprocal: number,
  wY: number,
  covXY: Float64Array,
  varX: Float64Array,
  first: number,
  end: number,
): void {
  for (let i = first; i < end; i++) {
    const w = rows[at + i]! * reciprocal;
    rows[at + i] = w;
    varX[i]! -= w * w;
    covXY[i]! -= w * wY;
  }
}
