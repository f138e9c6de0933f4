import { MagnitudeEdgeError } from '../errors.ts';
import type { FitOptions } from './inferer-options.ts';
import { functionParents, type GsnnGraph } from '../model/graph.ts';
import type { InfererModel } from '../model/external-model.ts';
import { completeLoss, describeLoss, type CompleteLoss } from '../model/loss-settings.ts';
import { raggedFromLists, type RaggedIndices } from '../statistics/ragged.ts';

/** Settings of a fit: statistics may be added up only if all of them agree. */
export interface FitSettings {
  readonly loss: CompleteLoss;
  /** `[edges]`; undefined if no edge is masked. */
  readonly edgeMask: Float32Array | undefined;
  /** The inferer's graph without the masked edges */
  readonly graph: GsnnGraph;
  /** The parents of the function nodes in that graph */
  readonly parents: RaggedIndices;
}

/**
 * Resolves the options of a fit; `graph` is the graph to judge edges by.
 * @throws MagnitudeEdgeError `invalid-argument` for an edge that cannot be masked or loss options that do not fit the
 * loss
 */
export function fitSettings(
  model: InfererModel,
  graph: GsnnGraph,
  { maskedEdges, ...loss }: FitOptions,
): FitSettings {
  const edgeMask = maskedEdges && model.edgeMask(maskedEdges);
  const judged = edgeMask ? model.graphUnderMask(edgeMask, graph) : graph;
  const parents = raggedFromLists(functionParents(judged));
  return { loss: completeLoss(loss, model), edgeMask, graph: judged, parents };
}

/**
 * Checks that a fit may add to the statistics of another one.
 * @throws MagnitudeEdgeError `invalid-argument` naming what differs
 */
export function checkCanResume(model: InfererModel, held: FitSettings, requested: FitSettings): void {
  const refuse = (why: string): never => {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `fit with reset: false adds to statistics ${why}; reset them, or fit with another inferer.`,
    );
  };
  const [loss, wantedLoss] = [describeLoss(held.loss), describeLoss(requested.loss)];
  if (loss !== wantedLoss) refuse(`of the loss ${loss}, but ${wantedLoss} was asked for`);
  model.maskableEdges.forEach(([src, dst], edge) => {
    if ((held.edgeMask?.[edge] ?? 1) === (requested.edgeMask?.[edge] ?? 1)) return;
    const [before, now] = held.edgeMask?.[edge] === 0 ? ['with', 'not'] : ['without', 'now'];
    refuse(`${before} the edge '${src}' -> '${dst}' masked, which is ${now} to be masked`);
  });
}
