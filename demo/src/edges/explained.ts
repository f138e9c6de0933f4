/** How the known parents of a target account for its correlation with a source, in one layer pair. */
export interface Explained {
  /** Correlation of source and target. */
  readonly correlation: number;
  /** Share of the target's variance that the parents explain. */
  readonly byParents: number;
  /** Correlation of the residuals of source and target given the parents; NaN if either residual vanishes. */
  readonly given: number;
}

/** How much of a target the parents explain, and what is left for a source. Columns hold one value per sample. */
export function explainedBy(
  source: ArrayLike<number>,
  target: ArrayLike<number>,
  parents: readonly ArrayLike<number>[],
): Explained {
  const [x, y] = [centred(source), centred(target)];
  const directions: Float64Array[] = [];
  for (const parent of parents) {
    const column = centred(parent);
    const before = norm(column);
    const left = without(column, directions);
    // A parent that the earlier ones explain adds no direction of its own.
    const length = norm(left);
    if (length > 1e-7 * before) directions.push(left.map((value) => value / length));
  }
  const [restX, restY] = [without(x, directions), without(y, directions)];
  const isLeft = norm(restX) > 1e-7 * norm(x) && norm(restY) > 1e-7 * norm(y);
  return {
    correlation: dot(x, y) / (norm(x) * norm(y)),
    byParents: 1 - (norm(restY) / norm(y)) ** 2,
    given: isLeft ? dot(restX, restY) / (norm(restX) * norm(restY)) : Number.NaN,
  };
}

/** The values minus their mean; all 0 if they vary by no more than single-precision rounding. */
function centred(values: ArrayLike<number>): Float64Array {
  const column = Float64Array.from(values);
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  const about = column.map((value) => value - mean);
  return norm(about) > 1e-6 * norm(column) ? about : about.fill(0);
}

/** The residual of a column after projecting out `directions` (modified Gram-Schmidt, twice for accuracy). */
function without(column: Float64Array, directions: readonly Float64Array[]): Float64Array {
  const rest = column.slice();
  for (let pass = 0; pass < 2; pass++)
    for (const direction of directions) {
      const along = dot(rest, direction);
      for (let k = 0; k < rest.length; k++) rest[k]! -= along * direction[k]!;
    }
  return rest;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

const norm = (column: Float64Array): number => Math.sqrt(dot(column, column));

/** Intercept and slope of the least-squares line; null if `xs` does not vary. */
export function trendOf(
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
): { intercept: number; slope: number } | null {
  const [x, y] = [centred(xs), centred(ys)];
  const spread = dot(x, x);
  if (!(spread > 0)) return null;
  const slope = dot(x, y) / spread;
  const mean = (values: ArrayLike<number>) =>
    Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  return { slope, intercept: mean(ys) - slope * mean(xs) };
}
