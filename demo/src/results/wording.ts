import { counted } from '../parts/format.ts';
import { aggregationLabels } from '../edges/score-kind.ts';
import { isOfRanks, lambdaOf, type Params, type Scoring } from './params.ts';
import type { Provenance } from './provenance.ts';

/** `corr, mean of layers`; `channel, lambda 3, layers pooled` */
export function scoringLine(params: Scoring): string {
  const lambda = lambdaOf(params);
  return [
    params.score,
    ...(isOfRanks(params) ? ['of ranks'] : []),
    ...(lambda === undefined ? [] : [`lambda ${lambda}`]),
    aggregationLabels[params.layerAgg],
  ].join(', ');
}

/** What a result was computed from, on one line. */
export function provenanceLine(of: Provenance): string {
  if (of.kind === 'fit')
    return `${of.model.name} with ${of.data.name} (${scoringLine(of.params)}, n = ${of.samples.toLocaleString('en')})`;
  const { score, layerAgg: layers, n } = of.metadata;
  const known = [score, layers, n && `n = ${Number(n).toLocaleString('en')}`].filter(Boolean);
  return known.length > 0 ? `${of.file.name} (${known.join(', ')})` : of.file.name;
}

/**
 * Start of the names of exported files: what the result was computed from, in characters that any file system accepts.
 */
export function fileStem(of: Provenance): string {
  const stem = (name: string) => name.replace(/\.[^.]*$/, '');
  const parts =
    of.kind === 'fit'
      ? [
          stem(of.model.name),
          stem(of.data.name),
          of.params.score,
          ...(isOfRanks(of.params) ? ['ranks'] : []),
          of.params.layerAgg,
          `n${of.samples}`,
        ]
      : [stem(of.file.name)];
  return parts
    .map((part) => part.replaceAll(/[^\p{L}\p{N}.-]+/gu, '-').slice(0, 60))
    .filter(Boolean)
    .join('_');
}

/** The settings of a run that its numbers depend on. */
function settingsOf(params: Params): string[] {
  const lambda = lambdaOf(params);
  return [
    `score ${params.score}`,
    `layer_agg ${params.layerAgg}`,
    ...(params.score === 'partial' ? [`ridge ${params.ridge}`] : []),
    ...(lambda === undefined ? [] : [`lambda ${lambda}`]),
    ...(isOfRanks(params) ? ['correlation spearman'] : []),
    ...(params.score === 'channel' ? [] : [`reduction ${params.reduction}`]),
    `use_pre_norm ${params.usePreNorm}`,
    `loss ${params.loss}`,
    `batches of ${params.batchSize}`,
  ];
}

/** The caption of a figure: model, data, score, settings and version. */
export function figureLine(of: Provenance, version: string): string {
  const program = `magnitude-edge ${version}`;
  if (of.kind === 'file') return `${provenanceLine(of)}; ${program}`;
  const { model, data, params, samples } = of;
  return `${model.name}, ${data.name}, n = ${samples.toLocaleString('en')}; ${settingsOf(params).join(', ')}; ${program}`;
}

/** The same in full, to be embedded in files. */
export function provenanceText(of: Provenance): string {
  if (of.kind === 'file') return `Edge table ${provenanceLine(of)}.`;
  const { model, data, params, samples } = of;
  return `Model ${model.name} (SHA-256 ${model.digest}), data ${data.name} (SHA-256 ${data.digest}), ${counted(samples, 'sample')} of ${data.samples.toLocaleString('en')}, ${settingsOf(params).join(', ')}.`;
}
