import { pairMoments } from '../../statistics/covariances.ts';
import { spanBytes, type Doubles, type MixedBlocks, type Place } from '../../statistics/mixed-blocks.ts';
import type { PairStatistics } from '../../statistics/sufficient-statistics.ts';
import { invert, invertBytes, invertRows, invertStride } from '../channel/invert.ts';
import { roundUp } from '../channel/panels.ts';
import type { RightPanels } from '../channel/products.ts';
import { scoredMoments } from '../constant-nodes.ts';

/** Settings of the regression of one layer pair. */
export interface RidgeSettings {
  /** Ridge, in variances of a standardised magnitude; above 0 */
  readonly lambda: number;
  /** See `ScoreRequest` */
  readonly varianceFloor?: number | undefined;
}

/** One ridge regression of all targets on all sources (method.md, "score = 'regression'"). */
export interface PairRegression {
  /** `[nodes, nodes]`, row-major `[source, target]`; NaN where a side is constant */
  readonly beta: Float64Array;
  /**
   * `[nodes]`, sqrt of (A C A)_ii / n of each source. The standard error of beta_ij is
   * `sourceError[i] * targetError[j]`
   */
  readonly sourceError: Float64Array;
  /** `[nodes]`, sigma_j of each target */
  readonly targetError: Float64Array;
  /** Elements of A by their nodes, NaN if either is constant; absent unless it was to be kept */
  readonly inverse?: ((source: number, other: number) => number) | undefined;
}

/** Rows processed between two yields, and columns that are formed together: they stay in a near cache. */
const DEPTH = 256;
const WIDTH = 128;

export interface SampleSizes {
  /** n */
  readonly samples: number;
  /** Samples that count for the standard errors; n if the observations are independent */
  readonly size: number;
}

/**
 * Computes the regression of one layer pair in float64, from its sums.
 *
 * @param keepInverse keeps A, count^2 numbers
 * @returns yields some milliseconds of work apart
 * @throws `out-of-memory` or RangeError if memory runs out
 */
export function* regressPair(
  memory: MixedBlocks,
  pair: PairStatistics,
  { samples, size }: SampleSizes,
  { lambda, varianceFloor }: RidgeSettings,
  keepInverse = false,
): Generator<undefined, PairRegression, undefined> {
  const nodes = pair.sumX.length;
  const { meanX, meanY, varX, varY } = scoredMoments(pairMoments(pair, samples), varianceFloor);
  const sources = usable(varX);
  const targets = usable(varY);
  const count = sources.length;
  const { leftWidth, rightWidth } = memory.double;
  const rows = invertRows(memory, count);
  const wide = roundUp(WIDTH, rightWidth);
  const stride = invertStride(memory, count);
  memory.clear(
    spanBytes({ length: rows * stride, bytes: 8 }) +
      invertBytes(memory, count) +
      spanBytes(
        { length: count * roundUp(count, leftWidth), bytes: 8 },
        { length: count * wide, bytes: 8 },
        { length: rows * wide, bytes: 8 },
      ),
  );
  const matrix = memory.doubles(rows * stride);
  for (let a = 0; a < count; a++) {
    const i = sources[a]!;
    for (let b = a; b < count; b++) {
      const k = sources[b]!;
      const covariance = pair.sumXX[i * nodes + k]! / samples - meanX[i]! * meanX[k]!;
      matrix.values[a * stride + b] = a === b ? 1 + lambda : covariance / Math.sqrt(varX[i]! * varX[k]!);
    }
    if (a % DEPTH === 0) yield;
  }
  yield* invert(memory, matrix, count);
  const inverse = keepInverse
    ? elementsOf(matrix.values.slice(0, count * stride), stride, sources, nodes)
    : undefined;

  const left = memory.doubles(count * roundUp(count, leftWidth));
  const variances = yield* packInverse(memory, matrix, count, lambda, left.values);
  const sourceError = new Float64Array(nodes).fill(NaN);
  sources.forEach((i, a) => (sourceError[i] = Math.sqrt(Math.max(variances[a]!, 0) / size)));

  const right = memory.doubles(count * wide);
  const out = memory.doubles(rows * wide);
  const beta = new Float64Array(nodes ** 2).fill(NaN);
  const targetError = new Float64Array(nodes).fill(NaN);
  const correlations = new Float64Array(count);
  for (let first = 0; first < targets.length; first += WIDTH) {
    const own = targets.subarray(first, first + WIDTH);
    right.values.fill(0);
    own.forEach((j, t) => {
      const at = panelPlace(count, rightWidth, t);
      for (let a = 0; a < count; a++) {
        const i = sources[a]!;
        const covariance = pair.sumXY[i * nodes + j]! / samples - meanX[i]! * meanY[j]!;
        right.values[at + a * rightWidth] = covariance / Math.sqrt(varX[i]! * varY[j]!);
      }
    });
    yield;
    multiply(memory, left, { address: right.address, columns: own.length }, count, {
      address: out.address,
      stride: wide,
    });
    own.forEach((j, t) => {
      // sigma^2 = 1 - 2 beta'r + beta'C beta, and C beta = r - lambda beta.
      const at = panelPlace(count, rightWidth, t);
      for (let a = 0; a < count; a++) correlations[a] = right.values[at + a * rightWidth]!;
      let explained = 0;
      for (let a = 0; a < count; a++) {
        const value = out.values[a * wide + t]!;
        beta[sources[a]! * nodes + j] = value;
        explained += value * (correlations[a]! + lambda * value);
      }
      targetError[j] = Math.sqrt(Math.max(1 - explained, 0));
    });
    yield;
  }
  return { beta, sourceError, targetError, inverse };
}

/** Reads a symmetric matrix over some nodes, given its upper triangle. */
function elementsOf(
  values: Float64Array,
  stride: number,
  own: Uint32Array,
  nodes: number,
): NonNullable<PairRegression['inverse']> {
  const place = new Int32Array(nodes).fill(-1);
  own.forEach((node, at) => (place[node] = at));
  return (source, other) => {
    const [a, b] = [place[source]!, place[other]!];
    return a < 0 || b < 0 ? NaN : values[Math.min(a, b) * stride + Math.max(a, b)]!;
  };
}

/** Nodes whose variance is not NaN. */
function usable(variances: Float64Array): Uint32Array {
  return Uint32Array.from(variances.keys()).filter((node) => !Number.isNaN(variances[node]!));
}

/** Where column t of right panels `[panel, rows, width]` begins. */
function panelPlace(rows: number, width: number, t: number): number {
  return (t - (t % width)) * rows + (t % width);
}

/**
 * Packs the inverse, given its upper triangle, into left panels `[panel, rows, leftWidth]`.
 *
 * @returns the diagonal of A C A = A - lambda A A
 */
function* packInverse(
  memory: MixedBlocks,
  { values }: Doubles,
  count: number,
  lambda: number,
  to: Float64Array,
): Generator<undefined, Float64Array, undefined> {
  const { leftWidth } = memory.double;
  const stride = invertStride(memory, count);
  const variances = new Float64Array(count);
  for (let column = 0, at = 0; column < count; column += leftWidth) {
    for (let row = 0; row < count; row++, at += leftWidth) {
      for (let c = 0; c < leftWidth; c++) {
        const other = column + c;
        const value = other < count ? values[Math.min(row, other) * stride + Math.max(row, other)]! : 0;
        to[at + c] = value;
        if (other < count) variances[other]! += (row === other ? value : 0) - lambda * value * value;
      }
    }
    if (column % DEPTH < leftWidth) yield;
  }
  return variances;
}

/** The product of left panels with right ones `[panel, rows, rightWidth]`: `[rows, stride]`. */
function multiply(
  { double }: MixedBlocks,
  left: Doubles,
  right: RightPanels,
  count: number,
  out: Place,
): void {
  const { leftWidth, rightWidth, bytes } = double;
  const panels = Math.ceil(right.columns / rightWidth);
  for (let i = 0; i < count; i += leftWidth) {
    double.add(left.address + bytes * i * count, right.address, count, panels, {
      address: out.address + bytes * i * out.stride,
      rowBytes: bytes * out.stride,
      overwrite: true,
    });
  }
}
