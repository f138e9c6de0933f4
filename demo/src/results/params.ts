import type { Aggregation, CorrelationKind, ScoreName } from '../edges/score-kind.ts';

/** Everything that a run depends on, under the names of the library's options. */
export interface Params {
  readonly score: ScoreName;
  readonly layerAgg: Aggregation;
  readonly correlation: CorrelationKind;
  readonly ridge: number;
  /** Lambda of regression scores. */
  readonly regressionLambda: number;
  /** Lambda of channel scores. */
  readonly channelLambda: number;
  readonly excludeSelf: boolean;
  readonly reduction: 'l1' | 'l2';
  readonly usePreNorm: boolean;
  readonly loss: 'mse' | 'l1' | 'huber' | 'bce-with-logits' | 'cross-entropy';
  readonly batchSize: number;
  readonly backend: 'auto' | 'webgpu' | 'cpu';
  readonly executionProvider: 'auto' | 'webgpu' | 'wasm';
  /** Whether magnitudes are kept sample by sample, so that uncertainty can be computed. */
  readonly uncertainty: boolean;
  readonly groups: number;
  readonly permutations: number;
  readonly seed: number;
}

export const defaultParams: Params = {
  score: 'corr',
  layerAgg: 'mean',
  correlation: 'pearson',
  ridge: 1e-8,
  regressionLambda: 0.3,
  channelLambda: 3,
  excludeSelf: true,
  reduction: 'l1',
  usePreNorm: true,
  loss: 'mse',
  batchSize: 128,
  backend: 'auto',
  executionProvider: 'auto',
  uncertainty: false,
  groups: 10,
  permutations: 0,
  seed: 0,
};

/** Bounds of the parameters that are whole numbers. */
export const wholeNumbers: Partial<Record<keyof Params, { readonly least: number; readonly most: number }>> =
  {
    batchSize: { least: 1, most: Number.MAX_SAFE_INTEGER },
    groups: { least: 2, most: Number.MAX_SAFE_INTEGER },
    permutations: { least: 0, most: Number.MAX_SAFE_INTEGER },
    seed: { least: 0, most: 2 ** 32 - 1 },
  };

/** The parameters of scoring; changing them keeps the samples seen. */
export const scoringKeys = [
  'score',
  'layerAgg',
  'correlation',
  'ridge',
  'regressionLambda',
  'channelLambda',
  'excludeSelf',
] as const;
export type Scoring = Pick<Params, (typeof scoringKeys)[number]>;

export const scoringOf = (params: Scoring): Scoring =>
  Object.fromEntries(scoringKeys.map((key) => [key, params[key]])) as unknown as Scoring;

/** Lambda of a score that has one. */
export const lambdaOf = ({ score, regressionLambda, channelLambda }: Scoring): number | undefined =>
  ({ corr: undefined, partial: undefined, regression: regressionLambda, channel: channelLambda })[score];

/** Whether a score depends on a parameter. */
export function scoreDependsOn(score: ScoreName, key: keyof Params): boolean {
  if (key === 'ridge') return score === 'partial';
  if (key === 'regressionLambda') return score === 'regression';
  if (key === 'channelLambda') return score === 'channel';
  if (key === 'correlation' || key === 'reduction') return score !== 'channel';
  return true;
}

/** Whether scores use the ranks of magnitudes. */
export const isOfRanks = ({ score, correlation }: Scoring): boolean =>
  score !== 'channel' && correlation === 'spearman';

/** The library's options for a score, without the rows. */
export const scoreOptions = (params: Scoring) => {
  const { score, layerAgg, ridge, correlation } = params;
  const ofMagnitudes = score === 'channel' ? {} : { correlation };
  return { score, layerAgg, ridge, lambda: lambdaOf(params), ...ofMagnitudes };
};

const scoring: readonly (keyof Params)[] = scoringKeys;
const loading: readonly (keyof Params)[] = ['executionProvider'];
const resampling: readonly (keyof Params)[] = ['uncertainty', 'groups', 'permutations', 'seed'];

/** What a change requires: new scores from the sums held, a new fit, or opening the model again. */
export function consequenceOf(before: Params, after: Params): 'none' | 'evaluate' | 'fit' | 'open' {
  const changed = (Object.keys(after) as (keyof Params)[])
    .filter((key) => before[key] !== after[key])
    // Kept samples that are no longer needed may stay until the next fit.
    .filter((key) => after.uncertainty || !resampling.includes(key));
  if (changed.length === 0) return 'none';
  if (changed.some((key) => loading.includes(key))) return 'open';
  return changed.every((key) => scoring.includes(key)) ? 'evaluate' : 'fit';
}
