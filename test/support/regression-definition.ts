import { solve } from './channel-definition.ts';
import type { PairRows } from './score-definition.ts';

/**
 * Regression scores of one layer pair by the definition of docs/method.md, in float64, for small data.
 *
 * @param lambda one for all sources, or one per source
 * @returns `[source][target]`, NaN if a side is constant
 */
export function regressionByDefinition(
  { x, y }: PairRows,
  lambda: number | ((source: number) => number),
): number[][] {
  const ridge = typeof lambda === 'number' ? () => lambda : lambda;
  const f = x[0]!.map((_, node) => standardized(x.map((row) => row[node]!)));
  const u = y[0]!.map((_, node) => standardized(y.map((row) => row[node]!)));
  const sources = [...f.keys()].filter((i) => f[i] !== undefined);
  const targets = [...u.keys()].filter((j) => u[j] !== undefined);
  const correlation = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, k) => sum + value * b[k]!, 0) / a.length;
  const beta = solve(
    sources.map((i) => sources.map((k) => correlation(f[i]!, f[k]!) + (i === k ? ridge(i) : 0))),
    sources.map((i) => targets.map((j) => correlation(f[i]!, u[j]!))),
  );
  return f.map((_, i) => u.map((_, j) => beta[sources.indexOf(i)]?.[targets.indexOf(j)] ?? NaN));
}

/** Ranks from 1, equal values at their average. */
export function ranksByDefinition(rows: readonly (readonly number[])[]): number[][] {
  return rows.map((row) =>
    row.map((value, node) => {
      const column = rows.map((other) => other[node]!);
      const below = column.filter((other) => other < value).length;
      return below + (column.filter((other) => other === value).length + 1) / 2;
    }),
  );
}

/** Undefined if they are constant */
function standardized(values: readonly number[]): number[] | undefined {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviations = values.map((value) => value - mean);
  const deviation = Math.sqrt(deviations.reduce((sum, d) => sum + d * d, 0) / values.length);
  if (deviation ** 2 <= 1e-14 * (deviation ** 2 + mean ** 2)) return undefined;
  return deviations.map((d) => d / deviation);
}
