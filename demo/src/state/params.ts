import { signal } from '@preact/signals';

/** Everything that a run depends on, under the names of the library's options. */
export interface Params {
  readonly score: 'corr' | 'partial';
  readonly layerAgg: 'mean' | 'max';
  readonly ridge: number;
  readonly excludeSelf: boolean;
  readonly reduction: 'l1' | 'l2';
  readonly usePreNorm: boolean;
  readonly loss: 'mse' | 'l1' | 'huber' | 'bce-with-logits' | 'cross-entropy';
  readonly batchSize: number;
  readonly backend: 'auto' | 'webgpu' | 'cpu';
  readonly executionProvider: 'auto' | 'webgpu' | 'wasm';
}

export const defaultParams: Params = {
  score: 'corr',
  layerAgg: 'mean',
  ridge: 1e-8,
  excludeSelf: true,
  reduction: 'l1',
  usePreNorm: true,
  loss: 'mse',
  batchSize: 128,
  backend: 'auto',
  executionProvider: 'auto',
};

export const params = signal<Params>(defaultParams);

const scoring: readonly (keyof Params)[] = ['score', 'layerAgg', 'ridge', 'excludeSelf'];
const loading: readonly (keyof Params)[] = ['executionProvider'];

/** What a change asks for: new scores from the sums held, a new fit, or the model opened anew. */
export function consequenceOf(before: Params, after: Params): 'none' | 'evaluate' | 'fit' | 'open' {
  const changed = (Object.keys(after) as (keyof Params)[]).filter((key) => before[key] !== after[key]);
  if (changed.length === 0) return 'none';
  if (changed.some((key) => loading.includes(key))) return 'open';
  return changed.every((key) => scoring.includes(key)) ? 'evaluate' : 'fit';
}
