/** Scores by the library's names. */
export const scoreNames = ['corr', 'partial', 'regression', 'channel'] as const;
export type ScoreName = (typeof scoreNames)[number];

export const aggregations = ['mean', 'max', 'pooled'] as const;
export type Aggregation = (typeof aggregations)[number];

/** How the page names, describes and draws a score. */
export interface ScoreKind {
  readonly label: string;
  /** What it is, in one sentence. */
  readonly about: string;
  /** Whether it can be negative; an unsigned score has no sign to colour. */
  readonly isSigned: boolean;
}

export const scoreKinds: Readonly<Record<ScoreName, ScoreKind>> = {
  corr: {
    label: 'correlation',
    about: "Correlation of the source's activation magnitude with the target's gradient magnitude.",
    isSigned: true,
  },
  partial: {
    label: 'partial',
    about: "The same correlation after regressing out the target's known parents.",
    isSigned: true,
  },
  regression: {
    label: 'regression',
    about:
      "Coefficient of the source's activation magnitude in one ridge regression of the target's gradient magnitude on all sources.",
    isSigned: true,
  },
  channel: {
    label: 'channel',
    about:
      "Norm of the coefficients of the source's channels in one ridge regression of the target's gradient channels on all sources.",
    isSigned: false,
  },
};

export const aggregationLabels: Readonly<Record<Aggregation, string>> = {
  mean: 'mean of layers',
  max: 'strongest layer',
  pooled: 'layers pooled',
};

export const correlations = ['pearson', 'spearman'] as const;
/** What scores of magnitudes correlate: the magnitudes, or their ranks. */
export type CorrelationKind = (typeof correlations)[number];

export const isScoreName = (text: unknown): text is ScoreName => scoreNames.some((name) => name === text);
