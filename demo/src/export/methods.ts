import type { EdgeColumns } from '../edges/edge-columns.ts';
import type { FitProvenance } from '../results/provenance.ts';
import { isOfRanks, type Params } from '../results/params.ts';

/** How to cite the method and this software. */
export const citation = (version: string): string =>
  `magnitude-edge ${version}: magnitude edge inference for graph structured neural networks in the browser (software, MIT licence).`;

const losses: Readonly<Record<Params['loss'], string>> = {
  mse: 'mean squared error',
  l1: 'mean absolute error',
  huber: 'Huber loss',
  'bce-with-logits': 'binary cross-entropy',
  'cross-entropy': 'cross-entropy',
};

/** A methods paragraph on how a table was computed, ready for a manuscript. */
export function methodsParagraph(
  version: string,
  { model: { facts: model }, params, samples, placement }: FitProvenance,
  table: EdgeColumns,
): string {
  const norm = params.reduction === 'l1' ? 'l1 norm' : 'l2 norm';
  const values = params.usePreNorm ? "before each block's normalisation" : "after each block's last activation";
  let significant = 0;
  for (const q of table.qValue) if (q <= 0.05) significant++;
  const pairs = model.layers - 1;
  return [
    `Missing edges between ${model.functions.length} function nodes were inferred with magnitude edge inference (magnitude-edge ${version}) from a trained graph structured neural network with ${model.layers} residual blocks (${model.norm} norm) and ${model.edges.length} edges between function nodes.`,
    params.score === 'channel'
      ? `For ${samples} samples in batches of ${params.batchSize}, the activations of all channels and the gradients of the ${losses[params.loss]} with respect to them were taken ${values}.`
      : `For ${samples} samples in batches of ${params.batchSize}, activation magnitudes and magnitudes of the gradients of the ${losses[params.loss]} were taken as the ${norm} over each node's channels, ${values}.`,
    params.score === 'channel' ? channelRegression(params, pairs) : ofMagnitudes(params, pairs),
    ...(table.isTested ? [pValues(params, table, significant)] : []),
    ...howSure(table),
    `The computation ran on the ${placement.backend} backend (model: ${placement.provider}).`,
  ].join(' ');
}

const ofMagnitudes = (params: Params, pairs: number): string => {
  const { score, ridge, layerAgg, regressionLambda } = params;
  const ranks = isOfRanks(params) ? ' of the ranks of magnitudes' : '';
  const kind = {
    corr: isOfRanks(params) ? "Spearman's correlations" : 'Pearson correlations',
    channel: '',
    regression: `coefficients of one ridge regression of each target on all sources, both standardised${ranks} (lambda = ${regressionLambda})`,
    partial: `partial correlations given the known parents of the target (ridge ${ridge} on the diagonal of the parents' covariance)${ranks}`,
  }[score];
  const together = {
    mean: `averaged over ${pairs} layer pairs`,
    max: `keeping the strongest of ${pairs} layer pairs`,
    pooled: `over the standardised observations of all ${pairs} layer pairs together`,
  }[layerAgg];
  return `For every ordered pair of nodes, source activation at one block was compared with target gradient at the next by ${kind}, ${together}.`;
};

/** docs/method.md, "Channel scores". */
function channelRegression({ channelLambda, layerAgg }: Params, pairs: number): string {
  const together = {
    mean: `one regression for each of ${pairs} layer pairs, whose scores were combined as their root mean square`,
    max: `one regression for each of ${pairs} layer pairs, of whose scores the largest was kept`,
    pooled: `one regression over the observations of all ${pairs} layer pairs`,
  }[layerAgg];
  return `The gradient channels of all nodes at one block, divided by their root mean square, were regressed on the standardised activation channels of all nodes at the block before by ridge regression (lambda = ${channelLambda} per observation): ${together}. The score of an ordered pair of nodes is the Frobenius norm of its block of coefficients divided by the square root of the number of the target's channels.`;
}

function pValues({ score }: Params, { rows, metadata }: EdgeColumns, significant: number): string {
  const from =
    score === 'channel'
      ? `come from ${metadata.permutations ?? 'a number of'} shuffles of the gradients`
      : score === 'regression'
        ? 'come from the normal distribution of coefficients over their standard errors'
        : 'come from the Fisher z transformation';
  return `One-sided p-values ${from} and were adjusted over ${rows} pairs by the Benjamini-Hochberg procedure; ${significant} pairs have q of at most 0.05.`;
}

/** How the table's uncertainty was computed; empty if it has none. */
function howSure({ uncertainty, metadata }: EdgeColumns): string[] {
  const { groups, permutations, seed } = metadata;
  if (!uncertainty.standardError || groups === undefined) return [];
  const shuffled = uncertainty.empiricalP
    ? ` Empirical p-values compare each score with those after ${permutations ?? '?'} shuffles of the target gradients within the groups (seed ${seed ?? '?'}).`
    : '';
  return [
    `Standard errors are delete-one-group jackknife estimates over ${groups} groups of consecutive samples.${shuffled}`,
  ];
}
