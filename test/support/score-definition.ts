import type { ScoreRequest } from '../../src/statistics.ts';

/** Magnitudes of one layer pair as rows: `x[sample][node]`, `y[sample][node]`. */
export interface PairRows {
  readonly x: readonly (readonly number[])[];
  readonly y: readonly (readonly number[])[];
}

/**
 * Aggregated scores by the definition of docs/method.md, in float64 and in two passes over the samples: residuals of a
 * ridge regression on the conditioning set, whose correlation is the score. An oracle for small data with ridge near 0.
 *
 * @returns row-major `[source, target]`
 */
export function scoresByDefinition(pairs: readonly PairRows[], request: ScoreRequest): number[] {
  const nodes = pairs[0]!.x[0]!.length;
  const { offsets, indices } = request.conditioningSets;
  const scores: number[] = [];
  for (let i = 0; i < nodes; i++) {
    for (let j = 0; j < nodes; j++) {
      const set = request.score === 'partial' ? Array.from(indices.subarray(offsets[j], offsets[j + 1])) : [];
      const perPair = pairs
        .map((pair) => pairScore(pair, i, j, set, request))
        .filter((score) => !Number.isNaN(score));
      const largest = perPair.reduce((best, score) => (Math.abs(score) > Math.abs(best) ? score : best), 0);
      if (perPair.length === 0) scores.push(NaN);
      else scores.push(request.layerAgg === 'max' ? largest : mean(perPair));
    }
  }
  return scores;
}

function pairScore(
  { x, y }: PairRows,
  i: number,
  j: number,
  set: readonly number[],
  { ridge, varianceFloor }: ScoreRequest,
): number {
  if (set.includes(i) || (set.length > 0 && i === j)) return NaN;
  if (isConstant(column(x, i), varianceFloor) || isConstant(column(y, j), varianceFloor)) return NaN;
  const centredX = centred(x);
  const target = column(centred(y), j);
  const source = column(centredX, i);
  const given = set.map((k) => column(centredX, k));
  const gram = given.map((a, k) => given.map((b, m) => covariance(a, b) + (k === m ? ridge : 0)));
  const alpha = solve(
    gram,
    given.map((a) => covariance(a, target)),
  );
  const beta = solve(
    gram,
    given.map((a) => covariance(a, source)),
  );
  const explained = (values: readonly number[], weights: readonly number[]): number =>
    given.reduce((sum, a, k) => sum + weights[k]! * covariance(a, values), 0);
  const varianceY = covariance(target, target) - explained(target, alpha);
  const varianceX = covariance(source, source) - explained(source, beta);
  const floorX = varianceFloor ?? 1e-12 * covariance(source, source);
  const leastY = varianceFloor ?? 1e-12 * covariance(target, target);
  if (!(varianceX > floorX && varianceY > leastY)) return NaN;
  return (covariance(source, target) - explained(source, alpha)) / Math.sqrt(varianceX * varianceY);
}

/** Whether a node is constant: docs/method.md, "Constant nodes". */
function isConstant(values: readonly number[], varianceFloor: number | undefined): boolean {
  const deviations = values.map((value) => value - mean(values));
  return (
    covariance(deviations, deviations) <= (varianceFloor ?? 1e-14 * mean(values.map((value) => value ** 2)))
  );
}

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

const covariance = (a: readonly number[], b: readonly number[]): number => mean(a.map((v, k) => v * b[k]!));

const column = (rows: readonly (readonly number[])[], node: number): number[] =>
  rows.map((row) => row[node]!);

function centred(rows: readonly (readonly number[])[]): number[][] {
  const means = rows[0]!.map((_, node) => mean(column(rows, node)));
  return rows.map((row) => row.map((value, node) => value - means[node]!));
}

/** Gaussian elimination without pivoting: enough for a covariance matrix. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, k) => [...row, right[k]!]);
  rows.forEach((pivot, k) => {
    for (const row of rows.slice(k + 1)) {
      const factor = row[k]! / pivot[k]!;
      row.forEach((value, c) => (row[c] = value - factor * pivot[c]!));
    }
  });
  const solution: number[] = [];
  for (let k = rows.length - 1; k >= 0; k--) {
    const row = rows[k]!;
    const known = row.slice(k + 1, -1).reduce((sum, value, m) => sum + value * solution[k + 1 + m]!, 0);
    solution[k] = (row.at(-1)! - known) / row[k]!;
  }
  return solution;
}
