import { scoreDependsOn, scoringKeys, type Params } from './params.ts';
import type { FileFacts, FitSource, Provenance } from './provenance.ts';

/** What the page would compute from if it ran now. */
export interface Inputs {
  readonly model: FileFacts | null;
  readonly data: FileFacts | null;
  readonly params: Params;
}

const scoring: readonly (keyof Params)[] = scoringKeys;
const resampling: readonly (keyof Params)[] = ['uncertainty', 'groups', 'permutations', 'seed'];

const names: Readonly<Record<keyof Params, string>> = {
  score: 'score',
  layerAgg: 'aggregation',
  ridge: 'ridge',
  correlation: 'ranks',
  regressionLambda: 'lambda',
  channelLambda: 'lambda',
  excludeSelf: 'self pairs',
  reduction: 'magnitude',
  usePreNorm: 'values',
  loss: 'loss',
  batchSize: 'batch size',
  backend: 'backend',
  executionProvider: 'runtime',
  uncertainty: 'uncertainty',
  groups: 'groups',
  permutations: 'shuffles',
  seed: 'seed',
};

/** What has changed since a result was computed, in words; empty if the same inputs would give it again. */
export function changesSince(from: Provenance, now: Inputs): readonly string[] {
  if (from.kind === 'file') return now.model ? [`a model was opened (${now.model.name})`] : [];
  const { params } = from;
  const counts = (key: keyof Params): boolean => {
    if (resampling.includes(key)) return from.resampled && now.params.uncertainty && key !== 'uncertainty';
    return scoreDependsOn(params.score, key);
  };
  return [...otherFiles(from, now), ...otherParams(params, now.params, counts)];
}

/**
 * What has changed since a fit that its statistics depend on. Scoring parameters do not count: any score can still be
 * computed.
 */
export function fitChangesSince(from: FitSource, now: Inputs): readonly string[] {
  const counts = (key: keyof Params) => !scoring.includes(key) && !resampling.includes(key);
  return [...otherFiles(from, now), ...otherParams(from.params, now.params, counts)];
}

/** Its files that are not the ones chosen now. */
export function otherFiles(from: FitSource, now: Inputs): string[] {
  const other = (role: 'model' | 'data'): string[] => {
    const file = now[role];
    if (file?.digest === from[role].digest) return [];
    if (!file) return [`${role} (none now)`];
    return [`${role} (now ${file.name === from[role].name ? 'another ' : ''}${file.name})`];
  };
  // Data belong to a model: a new model discards them.
  const model = other('model');
  return model.length > 0 && !now.data ? model : [...model, ...other('data')];
}

const otherParams = (before: Params, now: Params, counts: (key: keyof Params) => boolean): string[] =>
  (Object.keys(names) as (keyof Params)[])
    .filter((key) => counts(key) && before[key] !== now[key])
    .map((key) => names[key]);
