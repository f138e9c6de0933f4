import { DEFAULT_REGRESSION_LAMBDA, isEngineRequest, type MagnitudeRequest } from './magnitude-request.ts';

/** How magnitudes are scored, with all defaults filled in. */
export type MagnitudeSettings = Required<
  Pick<MagnitudeRequest, 'score' | 'layerAgg' | 'correlation' | 'lambda' | 'ridge' | 'varianceFloor'>
>;

/** Fills in the defaults. */
export function magnitudeSettings({
  score,
  layerAgg = 'mean',
  correlation = 'pearson',
  lambda = DEFAULT_REGRESSION_LAMBDA,
  ridge = 1e-8,
  varianceFloor,
}: Pick<MagnitudeRequest, 'score'> & {
  readonly [Option in Exclude<keyof MagnitudeSettings, 'score'>]?: MagnitudeSettings[Option] | undefined;
}): MagnitudeSettings {
  return { score, layerAgg, correlation, lambda, ridge, varianceFloor };
}

/** Where scores come from, as a table records it: an absent precision means 'exact'. */
export interface RanOn {
  readonly backend: string;
  readonly precision?: string;
}

/** For scores that are not plain correlations alone: the CPU computes these in one precision only. */
export function ranOn(backend: string, precision: string): RanOn {
  return backend === 'webgpu' && precision !== 'exact' ? { backend, precision } : { backend };
}

/** What a table records of such scores. @param of.backend the one that holds the statistics */
export function magnitudeProvenance(
  settings: MagnitudeSettings,
  { backend, precision, ...of }: RanOn & { readonly reduction: string; readonly samples: number },
) {
  const { score, layerAgg, correlation, lambda, ridge, varianceFloor } = settings;
  return {
    layerAgg,
    ...(correlation === 'pearson' ? {} : { correlation }),
    ...(score === 'regression' ? { lambda } : { ridge }),
    varianceFloor,
    ...of,
    // Ranks are formed, summed and scored on the CPU; other sums come from the statistics' backend.
    ...(correlation === 'spearman' ? { backend: 'cpu' } : { backend, precision }),
    ...(isEngineRequest(settings) ? {} : { solver: 'cpu' }),
  };
}
