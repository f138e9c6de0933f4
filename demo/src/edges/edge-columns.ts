/** What resampling says of a score, by the name that its column has in the table. */
export const uncertaintyNames = {
  standardError: 'corr_se',
  signStability: 'sign_stability',
  empiricalP: 'p_empirical',
} as const;
export type UncertaintyKey = keyof typeof uncertaintyNames;
export const uncertaintyKeys = Object.keys(uncertaintyNames) as readonly UncertaintyKey[];

/** The edge table as the views read it: one typed array per column, row r of each is row r of the Arrow table. */
export interface EdgeColumns {
  /** Names of the function nodes; `src` and `dst` index them. */
  readonly names: readonly string[];
  readonly rows: number;
  readonly src: Int32Array;
  readonly dst: Int32Array;
  /** Aggregated score, NaN where the method gives none. */
  readonly score: FloatColumn;
  readonly pValue: FloatColumn;
  readonly qValue: FloatColumn;
  /** 1 where the graph has the edge. */
  readonly hasEdge: Uint8Array;
  /** |S_j|; null for marginal scores. */
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
export function uncertaintyOf({ uncertainty }: Pick<EdgeColumns, 'uncertainty'>) {
  return uncertaintyKeys.flatMap((key) => {
    const values = uncertainty[key];
    return values ? [{ key, name: uncertaintyNames[key], values }] : [];
  });
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
