/** A score by the library's name for it. */
export const scoreNames = ['corr', 'partial', 'channel'] as const;
export type ScoreName = (typeof scoreNames)[number];

export const aggregations = ['mean', 'max', 'pooled'] as const;
export type Aggregation = (typeof aggregations)[number];

/** What the page says and draws of a score. */
export interface ScoreKind {
  readonly label: string;
  /** What it is, in one sentence. */
  readonly about: string;
  /** Whether it can be negative; one that cannot has no sign to colour. */
  readonly isSigned: boolean;
  readonly aggregations: readonly Aggregation[];
}

export const scoreKinds: Readonly<Record<ScoreName, ScoreKind>> = {
  corr: {
    label: 'correlation',
    about: "Correlation of the source's activation magnitude with the target's gradient magnitude.",
    isSigned: true,
    aggregations: ['mean', 'max'],
  },
  partial: {
    label: 'partial',
    about: "The same correlation once what the target's known parents explain is taken away.",
    isSigned: true,
    aggregations: ['mean', 'max'],
  },
  channel: {
    label: 'channel',
    about:
      "Size of the linear map from the source's channels that best takes away the target's gradient, with all sources in one ridge regression.",
    isSigned: false,
    aggregations: ['mean', 'max', 'pooled'],
  },
};

export const aggregationLabels: Readonly<Record<Aggregation, string>> = {
  mean: 'mean of layers',
  max: 'strongest layer',
  pooled: 'layers pooled',
};

export const isScoreName = (text: unknown): text is ScoreName => scoreNames.some((name) => name === text);
