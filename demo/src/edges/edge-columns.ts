/** How certain a score is: from the regression itself, and from resampling. */
export const uncertaintyKeys = ['regressionError', 'standardError', 'signStability', 'empiricalP'] as const;
export type UncertaintyKey = (typeof uncertaintyKeys)[number];

/** Name of the column of the aggregated score; the names of the layer-pair columns begin with it. */
export type ScoreColumn = 'corr' | 'score';

/** Names of the uncertainty columns in the table. */
export const uncertaintyNames = (score: ScoreColumn): Readonly<Record<UncertaintyKey, string>> => ({
  regressionError: 'standard_error',
  standardError: `${score}_se`,
  signStability: 'sign_stability',
  empiricalP: 'p_empirical',
});

/** The edge table as the views read it: one typed array per column; row r of each is row r of the Arrow table. */
export interface EdgeColumns {
  /** Names of the function nodes; `src` and `dst` index them. */
  readonly names: readonly string[];
  readonly rows: number;
  readonly src: Int32Array;
  readonly dst: Int32Array;
  /** Aggregated score, NaN if the method yields none. */
  readonly score: FloatColumn;
  /** Name of the score column in the table. */
  readonly scoreColumn: ScoreColumn;
  /** Whether the sign of a score means something. */
  readonly isSigned: boolean;
  /** Whether the table has p-values; if not, p and q are NaN throughout. */
  readonly isTested: boolean;
  readonly pValue: FloatColumn;
  readonly qValue: FloatColumn;
  /** 1 if the graph has the edge. */
  readonly hasEdge: Uint8Array;
  /** |S_j|; null for scores that condition on nothing. */
  readonly conditioned: Int32Array | null;
  /** One column per layer pair, under its name in the table. */
  readonly pairs: readonly { readonly name: string; readonly values: FloatColumn }[];
  /** Uncertainty of the scores (docs/guide.md, "How sure a score is"): the columns that the table has. */
  readonly uncertainty: Readonly<Partial<Record<UncertaintyKey, FloatColumn>>>;
  /** The schema metadata of the table. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type FloatColumn = Float64Array | Float32Array;

/** The uncertainty columns that the table has, in its order. */
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

/** Standard error of a score: by resampling if available, else from the regression; undefined without either. */
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

/** Every buffer of the columns, to transfer them between threads. */
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

/** A deep copy: one of the two can be transferred to another thread. */
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
