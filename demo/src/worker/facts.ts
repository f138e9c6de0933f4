import type { GsnnModel, MagnitudeEdgeInferer } from 'magnitude-edge';
import type { ModelFacts, Placement } from '../results/facts.ts';

/** The model as plain data that can be posted to the page. */
export function modelFacts(model: GsnnModel): ModelFacts {
  const { nodeNames, edgeIndex } = model.graph;
  const pairsOf = (kind: keyof typeof edgeIndex) => {
    const [sources, targets] = edgeIndex[kind];
    return Array.from(sources, (source, edge) => [source, targets[edge]!] as const);
  };
  return {
    inputs: [...nodeNames.input],
    functions: [...nodeNames.function],
    outputs: [...nodeNames.output],
    edges: pairsOf('function,function'),
    inputEdges: pairsOf('input,function'),
    outputEdges: pairsOf('function,output'),
    layers: model.layers,
    norm: model.norm,
    canMask: model.maskableEdges.length > 0,
  };
}

/** What runs where, with notes, warnings and fallbacks. */
export function placementOf({ diagnostics }: MagnitudeEdgeInferer): Placement {
  const { backend, notes, warnings, fallbacks, model } = diagnostics;
  return {
    backend,
    provider: model.executionProvider,
    notes: [
      ...(model.adapter ? [model.adapter] : []),
      ...notes,
      ...warnings,
      ...fallbacks,
      ...model.fallbacks,
    ],
  };
}
