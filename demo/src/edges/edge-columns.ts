/** How sure a score is: by the regression itself, and by resampling. */
export const uncertaintyKeys = ['regressionError', 'standardError', 'signStability', 'empiricalP'] as const;
export type UncertaintyKey = (typeof uncertaintyKeys)[number];

/** Name of the column of the aggregated score, with which those of the layer pairs begin. */
export type ScoreColumn = 'corr' | 'score';

/** The columns of uncertainty by their names in the table. */
export const uncertaintyNames = (score: ScoreColumn): Readonly<Record<UncertaintyKey, string>> => ({
  regressionError: 'standard_error',
  standardError: `${score}_se`,
  signStability: 'sign_stability',
  empiricalP: 'p_empirical',
});

/** The edge table as the views read it: one typed array per column, row r of each is row r of the Arrow table. */
export interface EdgeColumns {
  /** Names of the function nodes; `src` and `dst` index them. */
  readonly names: readonly string[];
  readonly rows: number;
  readonly src: Int32Array;
  readonly dst: Int32Array;
  /** Aggregated score, NaN where the method gives none. */
  readonly score: FloatColumn;
  /** What the table calls it. */
  readonly scoreColumn: ScoreColumn;
  /** Whether the sign of a score means something. */
  readonly isSigned: boolean;
  /** Whether the table has p-values; else p and q are NaN throughout. */
  readonly isTested: boolean;
  readonly pValue: FloatColumn;
  readonly qValue: FloatColumn;
  /** 1 where the graph has the edge. */
  readonly hasEdge: Uint8Array;
  /** |S_j|; null for scores that condition on nothing. */
  readonly conditioned: Int32Array | null;
  /** One column per layer pair, under its name in the table. */
  readonly pairs: readonly { readonly name: string; readonly values: FloatColumn }[];
  /** What resampling says of the scores (docs/guide.md, "How sure a score is"): the columns that the table has of it. */
  readonly uncertainty: Readonly<Partial<Record<UncertaintyKey, FloatColumn>>>;
  /** The schema metadata of the table. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type FloatColumn = Float64Array | Float32Array;

/** The columns of uncertainty that there are, in the table's order. */
export function uncertaintyOf({
  uncertainty,
  scoreColumn,
}: Pick<EdgeColumns, 'uncertainty' | 'scoreColumn'>) {
  const names = uncertaintyNames(scoreColumn);
  return uncertaintyKeys.flatMap((key) => {
    const values = uncertainty[key];
    return values ? [{ key, name: names[key], values }] : [];
  });
}

/** The standard error of a score, by resampling where there is one; undefined without any. */
export const errorOf = ({ uncertainty }: EdgeColumns, row: number): number | undefined =>
  (uncertainty.standardError ?? uncertainty.regressionError)?.[row];

const extents = new WeakMap<EdgeColumns, number>();

/** The largest |score| of a table, 0 without scores. */
export function extentOf(columns: EdgeColumns): number {
  let extent = extents.get(columns);
  if (extent === undefined) {
    extent = 0;
    for (const value of columns.score) extent = Math.max(extent, Math.abs(value) || 0);
    extents.set(columns, extent);
  }
  return extent;
}

/** Every buffer of the columns, for moving them between threads. */
export function buffersOf(columns: EdgeColumns): ArrayBufferLike[] {
  return [
    columns.src,
    columns.dst,
    columns.score,
    columns.pValue,
    columns.qValue,
    columns.hasEdge,
    ...(columns.conditioned ? [columns.conditioned] : []),
    ...columns.pairs.map((pair) => pair.values),
    ...uncertaintyOf(columns).map(({ values }) => values),
  ].map((array) => array.buffer);
}

/** A deep copy, so that one can be moved to another thread while the original stays. */
export function copyOf(columns: EdgeColumns): EdgeColumns {
  return {
    ...columns,
    src: columns.src.slice(),
    dst: columns.dst.slice(),
    score: columns.score.slice(),
    pValue: columns.pValue.slice(),
    qValue: columns.qValue.slice(),
    hasEdge: columns.hasEdge.slice(),
    conditioned: columns.conditioned?.slice() ?? null,
    pairs: columns.pairs.map(({ name, values }) => ({ name, values: values.slice() })),
    uncertainty: Object.fromEntries(uncertaintyOf(columns).map(({ key, values }) => [key, values.slice()])),
  };
}
