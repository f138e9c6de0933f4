import { DEFAULT_REGRESSION_LAMBDA, isEngineRequest, type MagnitudeRequest } from './magnitude-request.ts';

/** How magnitudes are scored, with nothing left out. */
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

/** What a table records of such scores. @param of.backend where the statistics are */
export function magnitudeProvenance(
  settings: MagnitudeSettings,
  of: { readonly reduction: string; readonly samples: number; readonly backend: string },
) {
  const { score, layerAgg, correlation, lambda, ridge, varianceFloor } = settings;
  return {
    layerAgg,
    ...(correlation === 'pearson' ? {} : { correlation }),
    ...(score === 'regression' ? { lambda } : { ridge }),
    varianceFloor,
    ...of,
    // Ranks are formed, summed and scored on the CPU; other sums come from the statistics' backend.
    ...(correlation === 'spearman' ? { backend: 'cpu' } : {}),
    ...(isEngineRequest(settings) ? {} : { solver: 'cpu' }),
  };
}
