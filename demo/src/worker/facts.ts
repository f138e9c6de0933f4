import type { GsnnModel } from 'magnitude-edge';
import type { ModelFacts } from './protocol.ts';

/** The model as plain data that can cross to the page. */
export function modelFacts(model: GsnnModel): ModelFacts {
  const { nodeNames, edgeIndex } = model.graph;
  const [sources, targets] = edgeIndex['function,function'];
  return {
    inputs: [...nodeNames.input],
    functions: [...nodeNames.function],
    outputs: [...nodeNames.output],
    edges: Array.from(sources, (source, edge) => [source, targets[edge]!] as const),
    layers: model.layers,
    norm: model.norm,
  };
}
