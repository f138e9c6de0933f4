/** Channel values of one layer pair: `[samples][channels]`. */
export interface ChannelPair {
  readonly x: readonly (readonly number[])[];
  readonly u: readonly (readonly number[])[];
}

/**
 * Channel scores by the definition of docs/method.md, in float64, for small data: of one layer pair, or pooled over
 * several.
 *
 * @param groups the function node of each channel
 * @returns `[source][target]`
 */
export function channelScoresByDefinition(
  pairs: readonly ChannelPair[],
  groups: readonly number[],
  lambda: number | ((channel: number) => number),
): number[][] {
  return channelBlocksByDefinition(pairs, groups, lambda).map((blocks) =>
    blocks.map((block) => {
      if (block.length === 0 || block[0]!.length === 0) return NaN;
      const squares = block.flat().map((value) => value ** 2);
      return Math.sqrt(squares.reduce((sum, v) => sum + v, 0) / block[0]!.length);
    }),
  );
}

/**
 * The blocks B_ij behind them: `[source][target]`, each `[channels of the source left][channels of the target left]`.
 *
 * @param lambda one for all channels, or one per channel
 */
export function channelBlocksByDefinition(
  pairs: readonly ChannelPair[],
  groups: readonly number[],
  lambda: number | ((channel: number) => number),
): number[][][][] {
  const channels = groups.map((_, channel) => channel);
  const ridgeOn = typeof lambda === 'number' ? () => lambda : lambda;
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const square = (values: readonly number[]): number => mean(values.map((v) => v * v));
  const column = (rows: readonly (readonly number[])[], c: number): number[] => rows.map((row) => row[c]!);
  // Columns of all pairs, concatenated.
  const f = channels.map((c) =>
    pairs.flatMap(({ x }) => {
      const values = column(x, c);
      const centre = mean(values);
      const deviations = values.map((v) => v - centre);
      const variance = square(deviations);
      return variance > 1e-14 * square(values)
        ? deviations.map((v) => v / Math.sqrt(variance))
        : values.map(() => 0);
    }),
  );
  const u = channels.map((c) => pairs.flatMap((pair) => column(pair.u, c)));
  const sources = channels.filter((c) => f[c]!.some((v) => v !== 0));
  const targets = channels.filter((c) => square(u[c]!) > 0);
  const scaled = targets.map((c) => u[c]!.map((v) => v / Math.sqrt(square(u[c]!))));
  const product = (a: readonly number[], b: readonly number[]): number => mean(a.map((v, k) => v * b[k]!));
  const b = solve(
    sources.map((i) => sources.map((k) => product(f[i]!, f[k]!) + (i === k ? ridgeOn(i) : 0))),
    sources.map((i) => scaled.map((target) => product(f[i]!, target))),
  );
  const nodes = Math.max(...groups) + 1;
  const own = (list: readonly number[], node: number): number[] =>
    [...list.keys()].filter((at) => groups[list[at]!] === node);
  return Array.from({ length: nodes }, (_, i) =>
    Array.from({ length: nodes }, (_, j) => {
      const [rows, columns] = [own(sources, i), own(targets, j)];
      return rows.map((r) => columns.map((c) => b[r]![c]!));
    }),
  );
}

/** Gauss-Jordan elimination for a positive definite matrix. */
export function solve(
  matrix: readonly (readonly number[])[],
  right: readonly (readonly number[])[],
): number[][] {
  const rows = matrix.map((row, k) => [...row, ...right[k]!]);
  rows.forEach((pivot, k) => {
    const scale = pivot[k]!;
    pivot.forEach((value, c) => (pivot[c] = value / scale));
    rows.forEach((row, i) => {
      if (i === k) return;
      const factor = row[k]!;
      row.forEach((value, c) => (row[c] = value - factor * pivot[c]!));
    });
  });
  return rows.map((row) => row.slice(matrix.length));
}
