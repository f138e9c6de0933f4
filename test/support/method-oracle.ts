/**
 * docs/method.md in the plainest float64: two passes over the samples, loops, one Cholesky factor per target. An oracle
 * for random problems: it shares no code with the engines, and reports how certain its scores are.
 */

/** Magnitudes of one layer pair, row-major `[samples, nodes]`. */
export interface PairMagnitudes {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

export interface OracleProblem {
  readonly nodes: number;
  readonly samples: number;
  readonly pairs: readonly PairMagnitudes[];
  /** Known parents of each target, ascending, without itself; for partial scores */
  readonly parents: readonly (readonly number[])[];
  readonly score: 'corr' | 'partial';
  readonly layerAgg: 'mean' | 'max';
  readonly ridge: number;
  readonly varianceFloor: number | undefined;
}

/** A score, and how much rounding may change it. */
export interface OracleScore {
  readonly score: number;
  /**
   * Whether a decision (constant, explained, singular) is within a factor of 100 of its limit, so that another order of
   * additions may decide otherwise.
   */
  readonly close: boolean;
  /** Amplification of rounding: the variances over what is left of them, times the condition of the parents' system */
  readonly amplification: number;
}

/** Per layer pair, row-major `[source, target]`. */
export function oracleScores(problem: OracleProblem): OracleScore[][] {
  return problem.pairs.map((pair) => pairScores(problem, pair));
}

/** Scores aggregated over the pairs, `[source, target]`. */
export function aggregated(perPair: readonly (readonly OracleScore[])[], how: 'mean' | 'max'): OracleScore[] {
  return perPair[0]!.map((_, element) => {
    const all = perPair.map((pair) => pair[element]!);
    const scored = all.filter(({ score }) => score === score);
    const close = all.some((entry) => entry.close);
    const amplification = Math.max(1, ...scored.map((entry) => entry.amplification));
    if (scored.length === 0) return { score: NaN, close, amplification };
    if (how === 'mean') {
      const sum = scored.reduce((total, { score }) => total + score, 0);
      return { score: sum / scored.length, close, amplification };
    }
    const best = scored.reduce((a, b) => (Math.abs(b.score) > Math.abs(a.score) ? b : a));
    // Rounding decides between two scores of nearly equal size and opposite signs.
    const rivals = scored.some(
      ({ score }) => score !== best.score && Math.abs(Math.abs(score) - Math.abs(best.score)) < 1e-5,
    );
    return { score: best.score, close: close || rivals, amplification };
  });
}

function pairScores(problem: OracleProblem, { x, y }: PairMagnitudes): OracleScore[] {
  const { nodes, samples, varianceFloor } = problem;
  const xs = columns(x, nodes, samples);
  const ys = columns(y, nodes, samples);
  const scores: OracleScore[] = [];
  const byTarget = ys.map((target, j) =>
    problem.score === 'partial' && problem.parents[j]!.length > 0
      ? partialColumn(problem, xs, target, j)
      : xs.map((source) => correlation(source, target, varianceFloor)),
  );
  for (let i = 0; i < nodes; i++) for (let j = 0; j < nodes; j++) scores.push(byTarget[j]![i]!);
  return scores;
}

interface Column {
  readonly centred: Float64Array;
  readonly variance: number;
  readonly meanSquare: number;
}

function columns(values: Float32Array, nodes: number, samples: number): Column[] {
  return Array.from({ length: nodes }, (_, node) => {
    const column = Float64Array.from({ length: samples }, (_, row) => values[row * nodes + node]!);
    const mean = column.reduce((sum, value) => sum + value, 0) / samples;
    const centred = column.map((value) => value - mean);
    return {
      centred,
      variance: dot(centred, centred) / samples,
      meanSquare: dot(column, column) / samples,
    };
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < a.length; row++) sum += a[row]! * b[row]!;
  return sum;
}

const covariance = (a: Column, b: Column): number => dot(a.centred, b.centred) / a.centred.length;

/** Whether `value` is at or below `limit`, and whether it is close to it. */
function atMost(value: number, limit: number): { yes: boolean; close: boolean } {
  const near = value > 0 && limit > 0 && value / limit > 0.01 && value / limit < 100;
  return { yes: !(value > limit), close: near };
}

function constant(column: Column, floor: number | undefined): { yes: boolean; close: boolean } {
  return atMost(column.variance, floor ?? 1e-14 * column.meanSquare);
}

function correlation(source: Column, target: Column, floor: number | undefined): OracleScore {
  const [x, y] = [constant(source, floor), constant(target, floor)];
  const close = x.close || y.close;
  // Sums about a pivot lose precision by the ratio of the mean to the deviation.
  const amplification = Math.max(spread(source), spread(target));
  if (x.yes || y.yes) return { score: NaN, close, amplification: 1 };
  const r = covariance(source, target) / Math.sqrt(source.variance * target.variance);
  return { score: clip(r), close, amplification };
}

const spread = ({ meanSquare, variance }: Column): number =>
  variance > 0 ? Math.max(1, Math.sqrt(meanSquare / variance)) : 1;
const clip = (r: number): number => Math.max(-1, Math.min(1, r));

function partialColumn(
  { parents, ridge, varianceFloor, nodes }: OracleProblem,
  xs: readonly Column[],
  target: Column,
  j: number,
): OracleScore[] {
  const given = parents[j]!.map((parent) => xs[parent]!);
  const k = given.map((a, row) => given.map((b, column) => covariance(a, b) + (row === column ? ridge : 0)));
  const factor = cholesky(k);
  const none = (close: boolean): OracleScore => ({ score: NaN, close, amplification: 1 });
  const toY = forward(
    factor.lower,
    given.map((a) => covariance(a, target)),
  );
  const vy = target.variance - square(toY);
  const y = constant(target, varianceFloor);
  const explained = atMost(vy, varianceFloor ?? 1e-12 * target.variance);
  const close = factor.close || y.close || explained.close || near(vy, target.variance);
  if (factor.singular || y.yes || explained.yes) return Array.from({ length: nodes }, () => none(close));
  return xs.map((source, i) => {
    if (i === j || parents[j]!.includes(i)) return none(false);
    const toX = forward(
      factor.lower,
      given.map((a) => covariance(a, source)),
    );
    const vx = source.variance - square(toX);
    const x = constant(source, varianceFloor);
    const left = atMost(vx, varianceFloor ?? 1e-12 * source.variance);
    const unsure = close || x.close || left.close || near(vx, source.variance);
    if (x.yes || left.yes) return none(unsure);
    const num = covariance(source, target) - toX.reduce((sum, value, m) => sum + value * toY[m]!, 0);
    const lost = Math.max(source.variance / vx, target.variance / vy);
    const widest = Math.max(spread(source), spread(target), ...given.map(spread));
    return {
      score: clip(num / Math.sqrt(vx * vy)),
      close: unsure,
      amplification: lost * factor.condition * widest,
    };
  });
}

/** Whether rounding of the variance itself may decide how much of it is left. */
const near = (left: number, variance: number): boolean => Math.abs(left) < 1e-10 * variance;

const square = (values: readonly number[]): number => values.reduce((sum, value) => sum + value * value, 0);

/** The factor, with the method's rule for singular systems and a condition estimate from its diagonal. */
function cholesky(k: readonly (readonly number[])[]) {
  const size = k.length;
  const largest = Math.max(...k.map((row, i) => row[i]!));
  const limit = size * 2 ** -52 * largest;
  const lower: number[][] = [];
  let [smallestPivot, close] = [Infinity, false];
  for (let i = 0; i < size; i++) {
    const row: number[] = [];
    for (let j = 0; j <= i; j++) {
      let sum = k[i]![j]!;
      for (let m = 0; m < j; m++) sum -= row[m]! * (lower[j]?.[m] ?? row[m]!);
      if (i === j) {
        smallestPivot = Math.min(smallestPivot, sum);
        // A pivot is a difference of numbers as large as the diagonal, and carries their rounding.
        close ||= Math.abs(sum) < 1e4 * limit;
        row.push(Math.sqrt(sum));
      } else row.push(sum / lower[j]![j]!);
    }
    lower.push(row);
  }
  const singular = !(smallestPivot > limit);
  return { lower, singular, close, condition: largest / Math.max(smallestPivot, Number.MIN_VALUE) };
}

function forward(lower: readonly (readonly number[])[], right: readonly number[]): number[] {
  const solution: number[] = [];
  right.forEach((value, i) => {
    let sum = value;
    for (let m = 0; m < i; m++) sum -= lower[i]![m]! * solution[m]!;
    solution.push(sum / lower[i]![i]!);
  });
  return solution;
}
