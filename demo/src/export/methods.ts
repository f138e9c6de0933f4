import type { EdgeColumns } from '../edges/edge-columns.ts';
import type { FitProvenance } from '../results/provenance.ts';
import type { Params } from '../state/params.ts';

/** What is cited for the method and for this software. */
export const citation = (version: string): string =>
  `magnitude-edge ${version}: magnitude edge inference for graph structured neural networks in the browser (software, MIT licence).`;

const losses: Readonly<Record<Params['loss'], string>> = {
  mse: 'mean squared error',
  l1: 'mean absolute error',
  huber: 'Huber loss',
  'bce-with-logits': 'binary cross-entropy',
  'cross-entropy': 'cross-entropy',
};

/** A methods paragraph with what a table was computed from, ready for a manuscript. */
export function methodsParagraph(
  version: string,
  { model: { facts: model }, params, samples, placement }: FitProvenance,
  table: EdgeColumns,
): string {
  const norm = params.reduction === 'l1' ? 'l1 norm' : 'l2 norm';
  const values = params.usePreNorm ? "before each block's normalisation" : "after each block's last activation";
  let significant = 0;
  for (const q of table.qValue) if (q <= 0.05) significant++;
  const score =
    params.score === 'partial'
      ? `partial correlations given the known parents of the target (ridge ${params.ridge} on the diagonal of the parents' covariance)`
      : 'Pearson correlations';
  return [
    `Missing edges between ${model.functions.length} function nodes were inferred with magnitude edge inference (magnitude-edge ${version}) from a trained graph structured neural network with ${model.layers} residual blocks (${model.norm} norm) and ${model.edges.length} edges between function nodes.`,
    `For ${samples} samples in batches of ${params.batchSize}, activation magnitudes and magnitudes of the gradients of the ${losses[params.loss]} were taken as the ${norm} over each node's channels, ${values}.`,
    `For every ordered pair of nodes, source activation at one block was compared with target gradient at the next by ${score}, ${params.layerAgg === 'mean' ? 'averaged over' : 'keeping the strongest of'} ${model.layers - 1} layer pairs.`,
    `One-sided p-values come from the Fisher z transformation and were adjusted over ${table.rows} pairs by the Benjamini-Hochberg procedure; ${significant} pairs have q of at most 0.05.`,
    ...howSure(table),
    `The computation ran on the ${placement.backend} backend (model: ${placement.provider}).`,
  ].join(' ');
}

/** How the table's uncertainty came to be; nothing where it has none. */
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
